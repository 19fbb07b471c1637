import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordToMessage } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, queueKey, type SinkRecord, type SourceRecord } from '@sluice/sdk';
import { QueueReadFailure } from '../ports/queue-messages.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { FigureSum, SINK_STAGES, SOURCE_STAGES, type TaskFigures } from '../task/task-figures.js';
import { SendFailure } from '../ports/record-producer.port.js';
import type { LoopEnd } from '../task/loop-end.js';
import { AskingSink } from '../testing/asking-sink.js';
import type { ListSource } from '../testing/list-source.js';
import { SinkWorld, textDecoder } from '../testing/sink-world.js';
import { SourceWorld, textEncoder } from '../testing/source-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';
import { TransformChain } from '../transforms/transform-chain.js';

/** The table that users read is the one that is run. */
const DOCUMENT = join(import.meta.dirname, '../../../../docs/operations/errors.md');
const COLUMNS = [
  'who',
  'stage',
  'error',
  'tolerance',
  'task',
  'arrived',
  'dead letters',
  'still to be read',
  'left out',
  'status and counters',
] as const;

type Cell = Readonly<Record<(typeof COLUMNS)[number], string>>;

const GIVEN = ['a', 'X', 'b'];
/** A fault of the moment passes after so many throws. */
const TRIES = 3;
/** Long enough for every backoff of the worlds, and several flushes. */
const RUN_MS = 5_000;

function readTable(): readonly Cell[] {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter((cells) => cells.length === COLUMNS.length && (cells[0] === 'sink' || cells[0] === 'source'));
  return rows.map((cells) => Object.fromEntries(COLUMNS.map((column, n) => [column, cells[n] ?? ''])) as unknown as Cell);
}

/** Throws at the record X, or at the stage as a whole: for good, or {@link TRIES} times. */
class Fault {
  #thrown = 0;
  isFixed = false;

  constructor(
    readonly stage: string,
    private readonly isRetriable: boolean,
  ) {}

  throwAt(stage: string, value: unknown = 'X'): void {
    if (stage !== this.stage || this.isFixed || value !== 'X') return;
    this.#thrown++;
    if (this.isRetriable && this.#thrown > TRIES) return;
    throw Object.assign(new ConnectError(ConnectErrorCode.internal, `${stage} fails`, { retriable: this.isRetriable }), {
      outcome: 'not-stored',
    });
  }

  failureAt(stage: string): SendFailure | undefined {
    try {
      this.throwAt(stage);
      return undefined;
    } catch (error) {
      return new SendFailure((error as Error).message, { outcome: 'not-stored', retriable: this.isRetriable });
    }
  }
}

const settingsOf = ({ tolerance }: Cell) => ({
  skipsBadRecords: tolerance !== 'none',
  errors: {
    logs: true,
    logsContents: false,
    deadLetters: tolerance === 'all, with dead letters' ? { topic: 'dead', hasContext: true } : undefined,
  },
});

const chainOf = (fault: Fault): TransformChain => {
  const test = ({ value }: { readonly value: unknown }): boolean => {
    fault.throwAt('predicate', value);
    return true;
  };
  const apply = <R extends { readonly value: unknown }>(record: R): R => {
    fault.throwAt('transform', record.value);
    return record;
  };
  return new TransformChain([{ alias: 'x', transform: { apply }, condition: { predicate: { test }, isNegated: false } }]);
};

interface Run {
  readonly loop: {
    readonly ended: Promise<LoopEnd>;
    readonly waits: { readonly list: readonly { readonly call: string }[] };
    stop(): Promise<LoopEnd>;
    kill(): void;
  };
  readonly counters: TaskCounters;
  readonly figures: TaskFigures;
}

interface Side {
  readonly clock: SinkWorld['clock'];
  /** A task on what those before have left. */
  run(fault: Fault, cell: Cell): Run;
  arrived(): readonly string[];
  letters(): readonly string[];
  /** What the next task gets. */
  unread(): readonly string[];
  readonly lines: readonly string[];
}

class SinkSide implements Side {
  readonly #world = new SinkWorld();
  readonly #ref = this.#world.cluster.addTopic('t', 1)[0]!;
  readonly #dead = this.#world.cluster.addTopic('dead', 1)[0]!;
  readonly #storage = newSinkStorage();
  readonly #commit = this.#world.offsets.commit.bind(this.#world.offsets);
  readonly clock = this.#world.clock;
  readonly lines = this.#world.logger.lines;

  constructor() {
    this.#world.plain(this.#ref, ...GIVEN);
  }

  run(fault: Fault, cell: Cell): Run {
    const world = this.#world;
    const sink = new AskingSink(this.#storage, false);
    const failing = (stage: string, records: readonly SinkRecord[]): void => {
      for (const { value } of records) fault.throwAt(stage, value);
    };
    sink.beforePut = (records) => {
      failing('put', records);
      failing('put that may be repeated', records);
    };
    sink.beforeFlush = () => {
      fault.throwAt('flush');
    };
    world.offsets.commit = async (...given) => {
      fault.throwAt('commit');
      return this.#commit(...given);
    };
    world.cluster.refusalOf = () => fault.failureAt('dead letter');
    const { loop, counters, figures } = world.loop(sink, {
      settings: settingsOf(cell),
      transforms: chainOf(fault),
      hasRepeatablePut: cell.stage === 'put that may be repeated',
      decoder: {
        decode: (queue, message) => {
          const record = textDecoder.decode(queue, message);
          fault.throwAt('converter', record.value);
          if (cell.stage === 'dead letter' && record.value === 'X' && !fault.isFixed) throw new Error('X is bad');
          return record;
        },
      },
      ports: {
        messages: {
          ...world.cluster.messages,
          read: (queue, from, signal) => {
            const reader = world.cluster.messages.read(queue, from, signal);
            return {
              next: async () => {
                const failure = fault.failureAt('read');
                if (failure === undefined) return reader.next();
                throw new QueueReadFailure(failure.message, { reason: 'unavailable', retriable: failure.retriable });
              },
              close: () => {
                reader.close();
              },
            };
          },
        },
      },
    });
    // Its calls may wait for the clock.
    void loop.start().catch(() => undefined);
    return { loop, counters, figures };
  }

  arrived(): readonly string[] {
    return this.#storage.values;
  }

  letters(): readonly string[] {
    return this.#world.cluster.queue(this.#dead).messages.map(({ body }) => body.toString());
  }

  unread(): readonly string[] {
    return GIVEN.slice(this.#world.offsets.offsets.get(`g ${queueKey(this.#ref)}`) ?? 0);
  }
}

class SourceSide implements Side {
  readonly #world = new SourceWorld();
  readonly #ref = this.#world.cluster.addTopic('t', 1)[0]!;
  readonly #dead = this.#world.cluster.addTopic('dead', 1)[0]!;
  readonly clock = this.#world.clock;
  readonly lines = this.#world.logger.lines;
  readonly #write = this.#world.positions.write.bind(this.#world.positions);

  run(fault: Fault, cell: Cell): Run {
    const world = this.#world;
    const source: ListSource = world.source({ file: GIVEN.map((value) => ({ topic: 't', value })) }, 1);
    const poll = source.poll.bind(source);
    let isAtX = false;
    source.poll = async (signal) => {
      if (isAtX) fault.throwAt('poll');
      const records: readonly SourceRecord[] = await poll(signal);
      isAtX = records.at(-1)?.value === 'a';
      return records;
    };
    source.commit = async () => {
      await Promise.resolve();
      fault.throwAt('commit');
    };
    world.cluster.refusalOf = () => fault.failureAt('dead letter');
    world.cluster.fate = (_queue, { messages }) => {
      const isRefused = fault.stage === 'refused by the broker' && !fault.isFixed && messages.some(({ body }) => body.toString() === 'X');
      return { kind: isRefused ? 'refuse' : 'store' };
    };
    const { producer } = world.cluster;
    world.positions.write = async (...given) => {
      fault.throwAt('position');
      return this.#write(...given);
    };
    const { loop, counters, figures } = world.loop(source, {
      settings: settingsOf(cell),
      transforms: chainOf(fault),
      encoder: {
        encode: (record, stamp) => {
          fault.throwAt('converter', record.value);
          if (cell.stage === 'dead letter' && record.value === 'X' && !fault.isFixed) throw new Error('X is bad');
          if (fault.stage === 'properties too large' && record.value === 'X') {
            const headers = [{ key: 'h', value: 'h'.repeat(fault.isFixed ? 1 : 40_000) }];
            return recordToMessage({ value: Buffer.from('X'), headers }, record, stamp);
          }
          return textEncoder.encode(record, stamp);
        },
      },
      ports: {
        producer: {
          ...producer,
          send: async (queue, batch, signal) => {
            const failure = fault.failureAt('send');
            if (failure !== undefined) throw failure;
            return producer.send(queue, batch, signal);
          },
        },
      },
    });
    // Its calls may wait for the clock.
    void loop.start().catch(() => undefined);
    return { loop, counters, figures };
  }

  arrived(): readonly string[] {
    return this.#world.cluster
      .queue(this.#ref)
      .messages.flatMap(({ body, rawProperties }) => (rawProperties.includes('sluice-b') ? [] : [body.toString()]));
  }

  letters(): readonly string[] {
    return this.#world.cluster.queue(this.#dead).messages.map(({ body }) => {
      const text = body.toString();
      return text === 'X' ? text : (JSON.parse(text) as { payload: string }).payload;
    });
  }

  unread(): readonly string[] {
    const stored = this.#world.positions.writes.flatMap(({ partitions }) => partitions).at(-1)?.position;
    return GIVEN.slice(Number(stored?.['position'] ?? 0));
  }
}

const listed = (values: readonly string[]): string => (values.length === 0 ? '-' : values.join(' '));

/** Says what a status and the metrics show, leaving out what is 0. */
function shownFigures(waits: readonly { readonly call: string }[], counters: TaskCounters): string {
  const { recordErrors, recordsSkipped, deadLettersWritten, deadLetterFailures, putRetries, sendRetries } = counters;
  const named = {
    'record errors': recordErrors,
    skipped: recordsSkipped,
    'dead letters': deadLettersWritten,
    'retries of puts and sends': putRetries + sendRetries,
  };
  const counted = Object.entries(named).flatMap(([name, count]) => (count === 0 ? [] : [`${name} ${count}`]));
  const failures = deadLetterFailures === 0 ? [] : ['failures of dead letters'];
  const waiting = [...new Set(waits.map(({ call }) => `waits for ${call}`))];
  return [...counted, ...failures, ...waiting].join('; ') || '-';
}

function errorsByStage(figures: TaskFigures): Readonly<Record<string, number>> {
  const sum = new FigureSum();
  figures.addTo(sum);
  const stages = new Set([...SOURCE_STAGES, ...SINK_STAGES]);
  return Object.fromEntries([...stages].map((stage) => [stage, sum.errorsAt(stage)] as const).filter(([, count]) => count > 0));
}

/** Where a fault is counted. The converters of these worlds are functions: what they throw names no part of the record. */
function stageOf({ who, stage }: Cell): string {
  if (stage === 'transform' || stage === 'predicate') return 'TRANSFORMATION';
  if (stage === 'poll') return 'TASK_POLL';
  if (stage.startsWith('put')) return 'TASK_PUT';
  return who === 'sink' ? 'ROCKETMQ_CONSUME' : 'ROCKETMQ_PRODUCE';
}

async function observe(cell: Cell): Promise<Cell> {
  const side: Side = cell.who === 'sink' ? new SinkSide() : new SourceSide();
  const fault = new Fault(cell.stage, cell.error === 'retriable');
  const { loop, counters, figures } = side.run(fault, cell);
  let end: LoopEnd | undefined;
  void loop.ended.then((how) => {
    end = how;
  });
  await side.clock.advance(RUN_MS);
  const seen = {
    ...cell,
    task: end === undefined ? 'RUNNING' : end.kind.toUpperCase(),
    arrived: listed(side.arrived()),
    'dead letters': listed(side.letters()),
    'still to be read': listed(side.unread()),
    'status and counters': shownFigures(loop.waits.list, counters),
  };
  const isAccounted = (value: string): boolean => [side.arrived(), side.letters(), side.unread()].some((values) => values.includes(value));
  const leftOut = GIVEN.filter((value) => !isAccounted(value));
  // What nobody has any more was counted and logged, and only where the user tolerates that.
  expect(leftOut.length === 0 || (cell.tolerance === 'all' && counters.recordsSkipped === leftOut.length)).toBe(true);
  expect(side.lines.filter((line) => line.includes('A record was skipped')).length).toBe(Math.min(1, counters.recordsSkipped));
  expect(errorsByStage(figures)).toEqual(counters.recordErrors === 0 ? {} : { [stageOf(cell)]: counters.recordErrors });
  fault.isFixed = true;
  await Promise.all([loop.stop(), side.clock.advance(RUN_MS)]);
  const next = side.run(fault, cell);
  await side.clock.advance(RUN_MS);
  // The next task gets what was still to be read.
  expect(GIVEN.filter((value) => ![...side.arrived(), ...side.letters()].includes(value))).toEqual(leftOut);
  expect(side.unread()).toEqual([]);
  await Promise.all([next.loop.stop(), side.clock.advance(RUN_MS)]);
  return { ...seen, 'left out': listed(leftOut) };
}

const STAGES: Readonly<Record<string, readonly string[]>> = {
  sink: ['read', 'converter', 'predicate', 'transform', 'put', 'put that may be repeated', 'flush', 'commit', 'dead letter'],
  source: [
    'poll',
    'predicate',
    'transform',
    'converter',
    'properties too large',
    'refused by the broker',
    'send',
    'position',
    'commit',
    'dead letter',
  ],
};

/** No second try makes a record smaller. */
const errorsOf = (stage: string): readonly string[] =>
  ['properties too large', 'refused by the broker'].includes(stage) ? ['final'] : ['final', 'retriable'];

describe('what becomes of three records, of which the second, X, meets a fault', () => {
  const table = readTable();

  it('is said of every stage, error and tolerance', () => {
    const wanted = Object.entries(STAGES).flatMap(([who, stages]) =>
      stages.flatMap((stage) =>
        errorsOf(stage).flatMap((error) =>
          (stage === 'dead letter' ? [] : ['none', 'all'])
            .concat('all, with dead letters')
            .map((tolerance) => [who, stage, error, tolerance].join('|')),
        ),
      ),
    );
    expect(table.map(({ who, stage, error, tolerance }) => [who, stage, error, tolerance].join('|'))).toEqual(wanted);
  });

  it.each(table)('$who, $stage, $error, $tolerance', async (cell) => {
    expect(await observe(cell)).toEqual(cell);
  });
});
