import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  queueKey,
  type ConnectorInstance,
  RetriableError,
  type FieldError,
  type FlushOptions,
  type QueueRef,
  type SinkConnector,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TaskConfig,
} from '@sluice/sdk';
import { sinkContract, type SinkContractSubject } from './sink-contract.js';

interface System {
  written: SinkRecord[];
  positions: Map<string, SinkPosition>;
  /** Writes that are refused from now on. */
  refusals: number;
}

/** What the wrong sinks do: each flaw is one mistake of an author. */
type Flaw =
  | 'splits into too many'
  | 'finds fault with a right configuration'
  | 'checks without end'
  | 'raises an error at its start'
  | 'starts without end'
  | 'does not stop its instance'
  | 'writes backwards'
  | 'resumes behind its position'
  | 'writes before a flush'
  | 'writes again at the same flush'
  | 'drops read states'
  | 'keeps what was put when a queue comes back'
  | 'ignores resets'
  | 'cannot stop before its start'
  | 'reports as safe what it holds'
  | 'reports more than was put'
  | 'reports a queue of others'
  | 'never writes everything'
  | 'writes again in ticks'
  | 'ignores the signal of a tick'
  | 'pauses a queue of others'
  | 'asks to be called again in a day'
  | 'fails for good at a refusal'
  | 'writes some of what it repeats'
  | 'does not seek'
  | 'seeks behind what is lost';

const foreign: QueueRef = { topic: 'contract', brokerName: 'broker-a', queueId: 99 };

/** Writes into a list, with the positions; it holds the newest record back until everything is asked for. */
class ListTask implements SinkTask {
  #context: SinkTaskContext | undefined;
  #held: SinkRecord[] = [];
  #written = 0;
  readonly #sought = new Set<string>();

  constructor(
    private readonly system: System,
    private readonly storesOffsets: boolean,
    private readonly flaw: Flaw | undefined,
  ) {}

  start(context: SinkTaskContext): Promise<void> {
    if (context.config['list'] === undefined) return Promise.reject(new Error('list is missing'));
    this.#context = context;
    this.#written = this.system.written.length;
    return Promise.resolve();
  }

  open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    const keys = new Set(queues.map(queueKey));
    if (this.flaw !== 'keeps what was put when a queue comes back') {
      this.#held = this.#held.filter(({ queue }) => !keys.has(queueKey(queue)));
    }
    if (!this.storesOffsets) return Promise.resolve([]);
    const stored = queues.flatMap((queue) => this.system.positions.get(queueKey(queue)) ?? []);
    const late = this.flaw === 'resumes behind its position' ? 1 : 0;
    return Promise.resolve(stored.map((position) => ({ ...position, nextOffset: position.nextOffset + late })));
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    await Promise.resolve();
    if (this.flaw === 'pauses a queue of others') this.#context?.pause([foreign]);
    if (this.flaw === 'writes some of what it repeats' && this.system.refusals > 0) {
      this.#write(records.slice(0, 1), true);
      this.#refuse();
    }
    if (this.flaw === 'writes before a flush') this.#write(records);
    else this.#held.push(...records);
    const { written } = this.system;
    const last = written.at(-1);
    if (written.length >= this.#written || last === undefined || this.flaw === 'does not seek') return;
    this.#held = [];
    this.#written = written.length;
    this.#sought.add(queueKey(last.queue));
    const behind = this.flaw === 'seeks behind what is lost' ? 2 : 1;
    this.#context?.seek([{ queue: last.queue, nextOffset: last.offset + behind }]);
  }

  async tick(signal: AbortSignal): Promise<void> {
    if (this.flaw === 'ignores the signal of a tick' && signal.aborted) await pause(2_500);
    if (this.flaw === 'writes again in ticks') this.#write(this.#held);
  }

  async flush(positions: readonly SinkPosition[], _signal: AbortSignal, { everything }: FlushOptions): Promise<readonly SinkPosition[]> {
    await Promise.resolve();
    const keeps = everything && this.flaw !== 'never writes everything' ? 0 : 1;
    const due = this.#held.slice(0, Math.max(0, this.#held.length - keeps));
    this.#write(this.flaw === 'writes backwards' ? due.toReversed() : due);
    if (this.flaw !== 'writes again at the same flush') this.#held.splice(0, due.length);
    const safe = positions.flatMap((position) => this.#safeOf(position));
    for (const position of safe) this.#store(position);
    if (this.flaw === 'reports a queue of others') return [...safe, { queue: foreign, nextOffset: 0 }];
    return this.flaw === 'reports more than was put' ? safe.map(({ queue }) => ({ queue, nextOffset: 1_000 })) : safe;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    const isTooEarly = this.flaw === 'cannot stop before its start' && this.#context === undefined;
    return isTooEarly ? Promise.reject(new TypeError('not started')) : Promise.resolve();
  }

  #safeOf(position: SinkPosition): readonly SinkPosition[] {
    const key = queueKey(position.queue);
    const last = this.system.written.findLast(({ queue }) => queueKey(queue) === key)?.offset ?? -1;
    // What is asked for before the queue is read elsewhere lies behind the hole.
    if (this.#sought.has(key) && position.nextOffset > last + 1) return [];
    this.#sought.delete(key);
    const held = this.flaw === 'reports as safe what it holds' ? undefined : this.#held.find(({ queue }) => queueKey(queue) === key);
    return [held === undefined ? position : { queue: position.queue, nextOffset: held.offset }];
  }

  #store(position: SinkPosition): void {
    const key = queueKey(position.queue);
    const { positions, written } = this.system;
    const wrote = written.findLast(({ queue }) => queueKey(queue) === key)?.offset ?? -1;
    if (this.flaw === 'ignores resets' && wrote >= 0 && position.nextOffset !== wrote + 1) return;
    positions.set(key, this.flaw === 'drops read states' ? { queue: position.queue, nextOffset: position.nextOffset } : position);
  }

  #write(records: readonly SinkRecord[], isForced = false): void {
    if (records.length > 0 && this.system.refusals > 0 && !isForced) this.#refuse();
    this.system.written.push(...records);
    this.#written = this.system.written.length;
  }

  #refuse(): never {
    this.system.refusals -= 1;
    this.#context?.timeout(this.flaw === 'asks to be called again in a day' ? 86_400_000 : 10);
    if (this.flaw === 'fails for good at a refusal') throw new Error('refused');
    throw new RetriableError('refused');
  }
}

/** Returns what a record holds: its value, or the body of its message. */
function textOf({ raw, value }: SinkRecord): string {
  return Buffer.from(raw?.body ?? (value as Uint8Array)).toString('utf8');
}

function subjectWith(flaw?: Flaw, storesOffsets = true, readOne = textOf): SinkContractSubject {
  const system: System = { written: [], positions: new Map(), refusals: 0 };
  const connector: SinkConnector = {
    kind: 'sink',
    name: 'ListSink',
    aliases: [],
    version: '1.0.0',
    doc: 'Writes into a list.',
    spec: {},
    validate: (_config, signal) => validateWith(flaw, signal),
    createInstance: () => instanceWith(flaw),
    taskConfigs: (given: TaskConfig) => (flaw === 'splits into too many' ? [given, given, given] : [given]),
    createTask: () => new ListTask(system, storesOffsets, flaw),
  };
  return {
    connector,
    storesOffsets,
    brokenConfig: {},
    setUp: () => {
      Object.assign(system, { written: [], positions: new Map(), refusals: 0 });
      return Promise.resolve({
        config: { list: 'l' },
        read: () => Promise.resolve(system.written.map(readOne)),
        refuseOnce: () => Promise.resolve(void (system.refusals = 1)),
        loseLast: () => Promise.resolve(void system.written.pop()),
        tearDown: () => Promise.resolve(),
      });
    },
  };
}

async function validateWith(flaw: Flaw | undefined, signal: AbortSignal): Promise<readonly FieldError[]> {
  if (flaw === 'finds fault with a right configuration') return [{ field: 'list', message: 'wrong' }];
  if (flaw === 'checks without end') await pause(2500, undefined, { ref: false });
  else await pause(5, undefined, { signal });
  return [];
}

function instanceWith(flaw: Flaw | undefined): ConnectorInstance {
  return {
    start: async (context) => {
      if (flaw === 'raises an error at its start') context.raiseError(new Error('not now'));
      if (flaw === 'starts without end') await pause(2500, undefined, { ref: false });
      else await pause(5, undefined, { signal: context.signal });
    },
    stop: async () => {
      if (flaw === 'does not stop its instance') await pause(2500, undefined, { ref: false });
    },
  };
}

const caught: readonly (readonly [Flaw, RegExp])[] = [
  ['splits into too many', /^splits its work/],
  ['finds fault with a right configuration', /^finds a valid configuration right/],
  ['checks without end', /^finds a valid configuration right/],
  ['raises an error at its start', /^has an instance/],
  ['starts without end', /^has an instance/],
  ['does not stop its instance', /^has an instance/],
  ['writes backwards', /^has written everything once flushed/],
  ['resumes behind its position', /^resumes after a stop at any record/],
  ['writes before a flush', /^neither loses nor duplicates a record when its process dies/],
  ['writes again at the same flush', /^takes the same flush twice/],
  ['reports as safe what it holds', /^reports as safe/],
  ['reports more than was put', /^reports as safe/],
  ['reports a queue of others', /^reports as safe/],
  ['never writes everything', /^has written everything soon/],
  ['writes again in ticks', /^neither loses nor repeats a record where it ticks/],
  ['ignores the signal of a tick', /^neither loses nor repeats a record where it ticks/],
  ['pauses a queue of others', /^pauses, resumes and seeks only/],
  ['asks to be called again in a day', /^pauses, resumes and seeks only/],
  ['fails for good at a refusal', /^fails with a retriable error/],
  ['writes some of what it repeats', /^fails with a retriable error/],
  ['does not seek', /^seeks to what its system has lost/],
  ['seeks behind what is lost', /^seeks to what its system has lost/],
  ['drops read states', /^returns offsets and read states/],
  ['keeps what was put when a queue comes back', /^forgets what was put/],
  ['ignores resets', /^resumes where an operator/],
  ['cannot stop before its start', /^can be stopped without a start/],
];

describe('the contract of sinks of raw records', () => {
  const rawSubject = (readOne?: (record: SinkRecord) => string): SinkContractSubject => {
    const subject = subjectWith(undefined, true, readOne);
    return { ...subject, connector: { ...subject.connector, records: 'raw' } };
  };

  it.each(sinkContract(rawSubject()))('holds for a right sink: $title', ({ run }) => run());

  it('catches a sink that takes the value for the message', async () => {
    const wrong = sinkContract(rawSubject(({ value }) => JSON.stringify(value)));
    await expect(wrong.find(({ title }) => title.startsWith('has written everything once'))?.run()).rejects.toThrow();
  });

  it('gives records that are no messages to other sinks', async () => {
    const seen: SinkRecord[] = [];
    const subject = subjectWith(undefined, true, (record) => {
      seen.push(record);
      return textOf(record);
    });
    await sinkContract(subject)
      .find(({ title }) => title.startsWith('has written everything once'))
      ?.run();
    expect(seen.some(({ raw }) => raw !== undefined)).toBe(false);
    expect(seen.length).toBeGreaterThan(0);
  });
});

describe('the contract of sinks', () => {
  it.each(sinkContract(subjectWith()))('holds for a right sink that stores offsets: $title', ({ run }) => run());
  it.each(sinkContract(subjectWith(undefined, false)))('holds for a right sink that stores none: $title', ({ run }) => run());

  it.each(caught)('catches a sink that %s', async (flaw, title) => {
    const [found, ...others] = sinkContract(subjectWith(flaw)).filter((each) => title.test(each.title));
    expect(others).toEqual([]);
    await expect(found?.run()).rejects.toThrow();
  });

  it('has a wrong sink for each of its cases', () => {
    for (const { title } of sinkContract(subjectWith())) expect(caught.some(([, pattern]) => pattern.test(title))).toBe(true);
  });
});
