import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  ConnectError,
  ConnectErrorCode,
  type ConnectorInstance,
  type FieldError,
  type RecordMetadata,
  type SourceConnector,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  type TaskConfig,
} from '@sluice/sdk';
import { sourceContract, type SourceContractSubject } from './source-contract.js';

/** Stands for input that nobody can read. */
const GARBAGE = Symbol('garbage');

interface System {
  entries: (string | typeof GARBAGE)[];
  hasEnded: boolean;
  /** How far the system itself believes that its reader is. */
  cursor: number;
}

/** What the wrong sources do: each flaw is one mistake of an author. */
type Flaw =
  | 'splits into too many'
  | 'finds fault with a right configuration'
  | 'checks without end'
  | 'raises an error at its start'
  | 'starts without end'
  | 'does not stop its instance'
  | 'promises exactly once in words of its own'
  | 'promises exactly once only at first'
  | 'hands out backwards'
  | 'nests positions'
  | 'ignores its position'
  | 'reads on from its system'
  | 'answers with nothing only at the end'
  | 'ignores the signal'
  | 'cannot stop before its start'
  | 'expects a place of every record'
  | 'never completes'
  | 'completes before its last record'
  | 'completes only with a record'
  | 'passes over garbage in silence'
  | 'reports garbage again'
  | 'puts the position of a mark before it';

/** The same of sources of raw records. */
type RawFlaw =
  | 'gives a record that is not raw'
  | 'gives a key beside the message'
  | 'leaves a stamp in the properties'
  | 'gives a flag of another size'
  | 'names no queue'
  | 'names another queue for some records'
  | 'names another queue after a restart';

/** Reads a system that is a list. */
class ListTask implements SourceTask {
  #context: SourceTaskContext | undefined;
  #next = 0;

  constructor(
    private readonly system: System,
    private readonly flaw: Flaw | undefined,
  ) {}

  start(context: SourceTaskContext): Promise<void> {
    if (context.config['list'] === undefined) return Promise.reject(new Error('list is missing'));
    this.#context = context;
    const stored = Number(context.position({ list: 'l' })?.['next'] ?? 0);
    this.#next = this.flaw === 'ignores its position' ? 0 : this.flaw === 'reads on from its system' ? this.system.cursor : stored;
    if (this.flaw !== 'completes only with a record') this.#completeAt(this.#next);
    return Promise.resolve();
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const records = this.system.entries.slice(this.#next).flatMap((entry) => this.#recordsOf(entry));
    this.system.cursor = this.#next;
    if (records.length > 0) {
      this.#completeAt(this.#next);
      return this.flaw === 'hands out backwards' ? records.reverse() : records;
    }
    const waits = this.flaw === 'answers with nothing only at the end' ? 60_000 : this.flaw === 'ignores the signal' ? 2500 : 20;
    await pause(waits, undefined, this.flaw === 'ignores the signal' ? {} : { signal, ref: false }).catch(() => undefined);
    return [];
  }

  commitRecord(_record: SourceRecord, metadata: RecordMetadata | undefined): void {
    if (this.flaw === 'expects a place of every record' && metadata === undefined) throw new TypeError('no metadata');
  }

  stop(): Promise<void> {
    const isTooEarly = this.flaw === 'cannot stop before its start' && this.#context === undefined;
    return isTooEarly ? Promise.reject(new TypeError('not started')) : Promise.resolve();
  }

  #completeAt(next: number): void {
    const { entries, hasEnded } = this.system;
    const last = this.flaw === 'completes before its last record' ? 0 : entries.length;
    if (hasEnded && next >= last && this.flaw !== 'never completes') this.#context?.complete();
  }

  #recordsOf(entry: string | typeof GARBAGE): readonly SourceRecord[] {
    this.#next += 1;
    const partition = { list: 'l' };
    if (entry !== GARBAGE) {
      const position = this.flaw === 'nests positions' ? { at: { next: this.#next } } : { next: this.#next };
      return [{ topic: 't', value: entry, partition, position }];
    }
    if (this.flaw === 'passes over garbage in silence') return [];
    const error = new ConnectError(ConnectErrorCode.recordInvalid, 'garbage');
    if (this.flaw === 'reports garbage again') this.#context?.skipRecord(error);
    const next = this.flaw === 'puts the position of a mark before it' ? this.#next - 1 : this.#next;
    const mark = this.#context?.unreadable(partition, { next }, error);
    return mark === undefined ? [] : [mark];
  }
}

/** Makes a message of the record of a source, which names one queue. */
function rawFrom({ value, ...record }: SourceRecord, flaw: RawFlaw | undefined, starts: number): SourceRecord {
  const text = value as string;
  const isLast = text.endsWith('last');
  const other =
    flaw === 'names another queue for some records' ? text.endsWith('bc') : flaw === 'names another queue after a restart' && starts > 1;
  const properties = Buffer.from(flaw === 'leaves a stamp in the properties' ? 'a\u00011\u0002sluice-p\u0001x\u0002' : 'a\u00011\u0002');
  return {
    ...record,
    value: null,
    ...(flaw === 'gives a key beside the message' ? { key: 'k' } : {}),
    ...(flaw === 'names no queue' ? {} : { rocketmq: { queue: { brokerName: 'broker-a', queueId: Number(other) } } }),
    ...(flaw === 'gives a record that is not raw' && isLast
      ? {}
      : { raw: { body: Buffer.from(text), properties, flag: flaw === 'gives a flag of another size' ? 2 ** 40 : 0, sysFlag: 0 } }),
  };
}

/** The same list as a system of messages. */
function rawSubjectWith(flaw?: RawFlaw, saysSo = true): SourceContractSubject {
  const subject = subjectWith();
  let starts = 0;
  const createTask = (): SourceTask => {
    const task = subject.connector.createTask();
    const [start, poll] = [task.start.bind(task), task.poll.bind(task)];
    task.start = (context) => {
      starts += 1;
      return start(context);
    };
    task.poll = async (signal) =>
      (await poll(signal)).map((record) => (typeof record.value === 'string' ? rawFrom(record, flaw, starts) : record));
    return task;
  };
  return { ...subject, connector: { ...subject.connector, ...(saysSo ? { records: 'raw' as const } : {}), createTask } };
}

function subjectWith(flaw?: Flaw): SourceContractSubject {
  const system: System = { entries: [], hasEnded: false, cursor: 0 };
  const config = { list: 'l' };
  let promises = 0;
  const promise = (): 'supported' | 'unsupported' => {
    promises += 1;
    if (flaw === 'promises exactly once in words of its own') return 'yes' as 'supported';
    return flaw === 'promises exactly once only at first' && promises > 1 ? 'unsupported' : 'supported';
  };
  const connector: SourceConnector = {
    kind: 'source',
    name: 'ListSource',
    aliases: [],
    version: '1.0.0',
    doc: 'Reads a list.',
    spec: {},
    validate: (_config, signal) => validateWith(flaw, signal),
    createInstance: () => instanceWith(flaw),
    taskConfigs: (given: TaskConfig) => (flaw === 'splits into too many' ? [given, given, given] : [given]),
    exactlyOnceSupport: promise,
    createTask: () => new ListTask(system, flaw),
  };
  return {
    connector,
    brokenConfig: {},
    patienceMs: 300,
    setUp: () => {
      Object.assign(system, { entries: [], hasEnded: false, cursor: 0 });
      return Promise.resolve({
        config,
        append: (values) => Promise.resolve(void system.entries.push(...values)),
        finish: () => Promise.resolve(void (system.hasEnded = true)),
        appendUnreadable: () => Promise.resolve(void system.entries.push(GARBAGE)),
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
  ['promises exactly once in words of its own', /^says whether it supports exactly once/],
  ['promises exactly once only at first', /^says whether it supports exactly once/],
  ['hands out backwards', /^hands out everything, in order/],
  ['nests positions', /^names partitions and positions/],
  ['ignores its position', /^resumes after any record/],
  ['reads on from its system', /^hands out again what was not committed/],
  ['answers with nothing only at the end', /^answers with nothing/],
  ['ignores the signal', /^ends a poll promptly/],
  ['expects a place of every record', /^takes what became of each record/],
  ['never completes', /^completes with its last record/],
  ['completes before its last record', /^completes with its last record/],
  ['completes only with a record', /^completes with its last record/],
  ['passes over garbage in silence', /^reports unreadable input/],
  ['reports garbage again', /^reports unreadable input/],
  ['puts the position of a mark before it', /^reports unreadable input/],
  ['cannot stop before its start', /^can be stopped without a start/],
];

const caughtRaw: readonly (readonly [RawFlaw, RegExp])[] = [
  ['gives a record that is not raw', /^hands out everything, in order/],
  ['gives a key beside the message', /^hands out everything, in order/],
  ['leaves a stamp in the properties', /^hands out everything, in order/],
  ['gives a flag of another size', /^hands out everything, in order/],
  ['names no queue', /^names one queue/],
  ['names another queue for some records', /^names one queue/],
  ['names another queue after a restart', /^names one queue/],
];

describe('the contract of sources of raw records', () => {
  it.each(sourceContract(rawSubjectWith()))('holds for a right source: $title', ({ run }) => run());

  it.each(caughtRaw)('catches a source that %s', async (flaw, title) => {
    const [found, ...others] = sourceContract(rawSubjectWith(flaw)).filter((each) => title.test(each.title));
    expect(others).toEqual([]);
    await expect(found?.run()).rejects.toThrow();
  });

  it('catches a source of raw records that does not say so, and has no case of queues for others', async () => {
    const cases = sourceContract(rawSubjectWith(undefined, false));
    await expect(cases.find(({ title }) => title.startsWith('hands out everything'))?.run()).rejects.toThrow(
      'does not say that its records are raw',
    );
    expect(cases.some(({ title }) => title.startsWith('names one queue'))).toBe(false);
  });
});

describe('the contract of sources', () => {
  it.each(sourceContract(subjectWith()))('holds for a right source: $title', ({ run }) => run());

  it.each(caught)('catches a source that %s', async (flaw, title) => {
    const [found, ...others] = sourceContract(subjectWith(flaw)).filter((each) => title.test(each.title));
    expect(others).toEqual([]);
    await expect(found?.run()).rejects.toThrow();
  });

  it('has a wrong source for each of its cases', () => {
    for (const { title } of sourceContract(subjectWith())) expect(caught.some(([, pattern]) => pattern.test(title))).toBe(true);
  });
});
