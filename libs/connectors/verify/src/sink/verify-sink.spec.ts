import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type FlushOptions,
  parseConfig,
  type QueueRef,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@sluice/sdk';
import { encodeVerificationHeader, encodeVerificationRecord, VERIFICATION_HEADER } from '@sluice/verification';
import { sinkContract, sinkTestContext } from '@sluice/testing';
import { mergeReports } from './report-file.js';
import { verifySinkSpec } from './settings.js';
import { verifySink } from './verify-sink.connector.js';

const queue: QueueRef = { topic: 't', brokerName: 'b', queueId: 0 };
const other: QueueRef = { ...queue, queueId: 1 };
const signal = new AbortController().signal;
const EVERYTHING = { everything: true };
let folder = '';
let tasks: SinkTask[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-verify-sink-'));
});
afterEach(async () => {
  for (const task of tasks) await task.stop();
  tasks = [];
  await rm(folder, { recursive: true, force: true });
});

function value(partition: number, seq: number, createdMs = Date.now()): Buffer {
  const numbers = { seed: 1, partition, seq, key: `key-${partition}`, keySeq: seq, createdMs };
  return encodeVerificationRecord(numbers, 150, (body) => body.fill('.'));
}

async function opened(queues: readonly QueueRef[] = [queue], connectorName = 'contract'): Promise<SinkTask> {
  const task = verifySink.createTask();
  tasks.push(task);
  await task.start({ ...sinkTestContext({ config: { 'report.dir': folder } }), connectorName });
  await task.open(queues);
  return task;
}

const records = (values: readonly Buffer[], from: number, of = queue, key = 'key-0'): readonly SinkRecord[] =>
  values.map((bytes, index) => ({ topic: 't', queue: of, offset: from + index, key: Buffer.from(key), value: bytes }));
const flush = (task: SinkTask, nextOffset: number, of = queue): Promise<unknown> =>
  task.flush([{ queue: of, nextOffset }], signal, EVERYTHING);
const reportFile = (): string => join(folder, 't@b@0.verify.json');

/**
 * The contract speaks of values that a sink writes. The verifier writes which numbers came. So the value at an offset of a queue stands for
 * the number that is the offset, and a duplicate reads as two values.
 */
class NumberTask implements SinkTask {
  readonly #task = verifySink.createTask();

  constructor(readonly texts: Map<number, string>) {}

  start(context: SinkTaskContext): Promise<void> {
    return this.#task.start(context);
  }

  open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    return this.#task.open(queues);
  }

  put(given: readonly SinkRecord[]): Promise<void> {
    const numbered = given.map((record) => {
      this.texts.set(record.offset, Buffer.from(record.value as Uint8Array).toString('utf8'));
      const { queueId } = record.queue;
      return { ...record, key: `key-${queueId}`, value: value(queueId, record.offset) };
    });
    return this.#task.put(numbered, signal);
  }

  flush(positions: readonly SinkPosition[], given: AbortSignal, options: FlushOptions): ReturnType<SinkTask['flush']> {
    return this.#task.flush(positions, given, options);
  }

  close(queues: readonly QueueRef[]): Promise<void> {
    return this.#task.close(queues);
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }
}

describe('every sink, here the verifier', () => {
  let texts = new Map<number, string>();
  const cases = sinkContract({
    connector: { ...verifySink, createTask: () => new NumberTask(texts) },
    brokenConfig: {},
    storesOffsets: true,
    setUp: async () => {
      texts = new Map();
      const own = await mkdtemp(join(tmpdir(), 'sluice-verify-sink-'));
      return {
        config: { 'report.dir': own },
        read: async () => {
          const { partitions, duplicates, damaged } = await mergeReports(own);
          const read = partitions.flatMap(({ first = 0, last = -1 }) =>
            [...Array(last - first + 1).keys()].map((n) => texts.get(first + n) ?? 'never put'),
          );
          return [...read, ...Array<string>(duplicates + damaged).fill('duplicate or damaged')];
        },
        afterCrash: async () => {
          for (const name of await readdir(own)) if (name.endsWith('.lock')) await rm(join(own, name));
        },
        tearDown: () => rm(own, { recursive: true, force: true }),
      };
    },
  });
  it.each(cases)('$title', ({ run }) => run());
});

describe('the verifier', () => {
  /** What the verdict is when these numbers of partition 0 come in this order. */
  const verdictOf = async (
    numbers: readonly number[],
    change: (values: Buffer[]) => void = () => undefined,
  ): ReturnType<typeof mergeReports> => {
    const values = numbers.map((seq) => value(0, seq));
    change(values);
    const task = await opened();
    await task.put(records(values, 100), signal);
    await flush(task, 100 + values.length);
    return mergeReports(folder, { seed: 1, ofPartitions: [6] });
  };

  it('finds nothing in what is whole', async () => {
    expect(await verdictOf([0, 1, 2, 3, 4, 5])).toMatchObject({
      complete: true,
      clean: true,
      records: 6,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      damaged: 0,
      keys: { count: 1, missing: 0, duplicates: 0, outOfOrder: 0 },
      partitions: [{ seed: 1, partition: 0, records: 6, first: 0, last: 5 }],
      missingRanges: [],
      examples: [],
    });
  });

  it.each([
    ['at the start', [2, 3, 4, 5], 0, 1],
    ['in the middle', [0, 1, 4, 5], 2, 3],
    ['at the end', [0, 1, 2, 3], 4, 5],
  ])('finds records that are missing %s', async (_where, numbers, from, to) => {
    expect(await verdictOf(numbers)).toMatchObject({
      complete: false,
      clean: false,
      missing: 2,
      missingRanges: [{ seed: 1, partition: 0, from, to }],
      duplicates: 0,
      outOfOrder: 0,
    });
  });

  it('finds a record that came twice, and says where', async () => {
    expect(await verdictOf([0, 1, 2, 3, 2, 4, 5])).toMatchObject({
      complete: true,
      clean: false,
      duplicates: 1,
      keys: { duplicates: 1 },
      outOfOrder: 0,
      examples: [
        { kind: 'duplicate', queue: 't@b:0', offset: 104, numbers: { seq: 2 } },
        { kind: 'key-duplicate', offset: 104 },
      ],
    });
  });

  it('finds two records that changed places', async () => {
    expect(await verdictOf([0, 1, 3, 2, 4, 5])).toMatchObject({
      complete: true,
      clean: false,
      outOfOrder: 1,
      keys: { outOfOrder: 1 },
      duplicates: 0,
      examples: [
        { kind: 'out-of-order', offset: 103, numbers: { seq: 2 } },
        { kind: 'key-out-of-order', offset: 103 },
      ],
    });
  });

  it('finds a damaged record, and misses its number', async () => {
    const verdict = await verdictOf([0, 1, 2, 3, 4, 5], ([, , third]) => third?.write('X', 120));
    expect(verdict).toMatchObject({
      complete: false,
      damaged: 1,
      missing: 1,
      missingRanges: [{ from: 2, to: 2 }],
      examples: [{ kind: 'damaged', problem: 'checksum', queue: 't@b:0', offset: 102 }],
    });
  });

  it('finds what is no record of the generator', async () => {
    const verdict = await verdictOf([0, 1, 2, 3, 4, 5], (values) => values.push(Buffer.from('a line')));
    expect(verdict).toMatchObject({ complete: true, clean: false, records: 7, damaged: 1 });
    expect(verdict.examples).toMatchObject([{ kind: 'damaged', problem: 'format', offset: 106 }]);
  });

  it('judges records of a schema by their header, per partition, and not their values or keys', async () => {
    const headed = (seq: number, offset: number, change = (text: string): string => text): SinkRecord => ({
      topic: 't',
      queue,
      offset,
      key: `user-${offset}`,
      value: Buffer.from('{"any":"struct"}'),
      headers: [
        { key: VERIFICATION_HEADER, value: change(encodeVerificationHeader({ seed: 1, partition: 0, seq, createdMs: Date.now() })) },
      ],
    });
    const verdictOfHeaders = async (...seqs: readonly number[]): ReturnType<typeof mergeReports> => {
      const task = await opened();
      await task.put(
        seqs.map((seq, index) => headed(seq, index)),
        signal,
      );
      await flush(task, seqs.length);
      return mergeReports(folder, { seed: 1, ofPartitions: [4] });
    };
    const whole = await verdictOfHeaders(0, 1, 2, 3);
    expect(whole).toMatchObject({ complete: true, clean: true, records: 4, keys: { count: 0, missing: 0 }, examples: [] });
    await tasks.pop()?.stop();
    await rm(reportFile());
    expect(await verdictOfHeaders(0, 2, 2, 1)).toMatchObject({
      complete: false,
      missing: 1,
      duplicates: 1,
      outOfOrder: 1,
      examples: [{ kind: 'duplicate', numbers: { seed: 1, partition: 0, seq: 2 } }, { kind: 'out-of-order' }],
    });
    await tasks.pop()?.stop();
    const task = await opened();
    await task.put([headed(3, 4, (text) => text.replace('/3/', '/4/'))], signal);
    await flush(task, 5);
    expect(await mergeReports(folder)).toMatchObject({ damaged: 1, clean: false });
  });

  it('finds a key that is not the one of the value', async () => {
    const task = await opened();
    await task.put(records([value(0, 0)], 0, queue, 'key-7'), signal);
    await flush(task, 1);
    expect(await mergeReports(folder)).toMatchObject({
      clean: false,
      damaged: 1,
      examples: [{ kind: 'damaged', problem: 'key', offset: 0, numbers: { key: 'key-0' } }],
    });
  });

  it('finds a partition of which nothing came', async () => {
    const task = await opened();
    await task.put(records([value(0, 0)], 0), signal);
    await flush(task, 1);
    const verdict = await mergeReports(folder, { seed: 1, ofPartitions: [1, 3] });
    expect(verdict).toMatchObject({ complete: false, missing: 3 });
    expect(verdict.missingRanges).toEqual([{ seed: 1, partition: 1, from: 0, to: 2 }]);
  });

  it('finds records that came in two queues, and joins partitions that are spread over queues', async () => {
    const task = await opened([queue, other]);
    await task.put(
      [
        ...records(
          [0, 1, 2].map((n) => value(0, n)),
          0,
        ),
      ],
      signal,
    );
    await task.put(
      [
        ...records(
          [2, 3].map((n) => value(0, n)),
          0,
          other,
        ),
      ],
      signal,
    );
    await task.flush(
      [
        { queue, nextOffset: 3 },
        { queue: other, nextOffset: 2 },
      ],
      signal,
      EVERYTHING,
    );
    expect(await mergeReports(folder, { seed: 1, ofPartitions: [4] })).toMatchObject({
      complete: true,
      clean: false,
      records: 5,
      duplicates: 1,
      keys: { duplicates: 1 },
    });
  });

  it('calls nothing at all not complete', async () => {
    expect(await mergeReports(folder)).toMatchObject({ complete: false, clean: false, records: 0 });
  });

  it('keeps the first examples of a kind only', async () => {
    const verdict = await verdictOf([0, 1, 2, 3, 4, 5], (values) => {
      values.push(...Array.from({ length: 50 }, () => Buffer.from('a line')));
    });
    expect(verdict.damaged).toBe(50);
    expect(verdict.examples.map(({ offset }) => offset)).toEqual([106, 107, 108, 109, 110]);
  });

  it('measures the time from the making of a record to its arrival, and the longest time without one', async () => {
    const task = await opened();
    await task.put(records([value(0, 0, Date.now() - 60_000)], 0), signal);
    await flush(task, 1);
    const path = reportFile();
    const before = JSON.parse(await readFile(path, 'utf8')) as { report: { findings: { lastArrivalMs: number } } };
    await task.put(records([value(0, 1)], 1), signal);
    await flush(task, 2);
    const after = JSON.parse(await readFile(path, 'utf8')) as typeof before;
    const verdict = await mergeReports(folder);
    expect(verdict.latencyMs?.max).toBeGreaterThanOrEqual(60_000);
    // The task has just taken the queue.
    expect(verdict).not.toHaveProperty('warmLatencyMs');
    expect(verdict.largestArrivalGapMs).toBe(after.report.findings.lastArrivalMs - before.report.findings.lastArrivalMs);
    const fromMs = before.report.findings.lastArrivalMs;
    const toMs = after.report.findings.lastArrivalMs;
    expect(verdict.arrivalGaps).toEqual(fromMs === toMs ? [] : [{ queue: 't@b:0', fromMs, toMs }]);
  });

  it('resumes with the report of a queue in another task', async () => {
    const first = await opened([queue, other]);
    await first.put(
      records(
        [0, 1].map((n) => value(0, n)),
        0,
      ),
      signal,
    );
    await flush(first, 2);
    await first.close([queue]);
    const second = await opened();
    await second.put(
      records(
        [1, 2].map((n) => value(0, n)),
        2,
      ),
      signal,
    );
    await flush(second, 4);
    expect(await mergeReports(folder)).toMatchObject({ complete: true, records: 4, duplicates: 1 });
  });

  it('leaves only reports behind', async () => {
    const task = await opened();
    await task.put(records([value(0, 0)], 0), signal);
    await flush(task, 1);
    await task.stop();
    expect(await readdir(folder)).toEqual(['t@b@0.verify.json']);
  });

  it('shows the verdict of its queue in each report', async () => {
    await verdictOf([0, 1, 3]);
    expect(JSON.parse(await readFile(reportFile(), 'utf8'))).toMatchObject({
      verdict: { complete: false, missing: 1, missingRanges: [{ from: 2, to: 2 }] },
    });
  });

  it('refuses a queue that another task has, for the moment', async () => {
    await opened();
    await expect(opened()).rejects.toMatchObject({ code: 'CONNECT_LOCK_HELD', retriable: true });
  });

  it('refuses a report of another connector, and gives the lock up again', async () => {
    const task = await opened();
    await flush(task, 1);
    await task.stop();
    await expect(opened([queue], 'second')).rejects.toThrow(
      `Report ${reportFile()} is written by connector contract: give connector second another report.dir`,
    );
    await (await opened()).stop();
  });

  it('refuses a damaged report', async () => {
    const task = await opened();
    await task.put(records([value(0, 0)], 0), signal);
    await flush(task, 1);
    await task.stop();
    const text = await readFile(reportFile(), 'utf8');
    for (const damaged of [text.replaceAll('"nextOffset":1', '"nextOffset":2'), text.slice(0, -20), '']) {
      await writeFile(reportFile(), damaged);
      await expect(opened()).rejects.toMatchObject({
        code: 'CONNECT_STATE_INVALID',
        message: expect.stringContaining(`${reportFile()} is damaged`),
      });
      await expect(mergeReports(folder)).rejects.toMatchObject({ code: 'CONNECT_STATE_INVALID' });
    }
  });

  it('writes reports while further records come, and reports them as safe with a later flush', async () => {
    const task = await opened();
    const byTime = (nextOffset: number): ReturnType<SinkTask['flush']> =>
      task.flush([{ queue, nextOffset }], signal, { everything: false });
    await task.put(records([value(0, 0)], 0), signal);
    expect(await byTime(1)).toEqual([]);
    await task.put(records([value(0, 1)], 1), signal);
    let safe = await byTime(2);
    while (safe?.[0]?.nextOffset !== 2) {
      await setImmediate();
      safe = await byTime(2);
    }
    expect(safe).toEqual([{ queue, nextOffset: 2 }]);
    expect(await mergeReports(folder)).toMatchObject({ clean: true, records: 2 });
    await task.put(records([value(0, 2)], 2), signal);
    await byTime(3);
    await task.stop();
    // A report that was begun is whole before another task may have the queue.
    expect(await mergeReports(folder)).toMatchObject({ clean: true, records: 3 });
  });

  it('begins again from before a report at once, where an operator has reset the group', async () => {
    const task = await opened();
    await task.put(records([value(0, 0), value(0, 1)], 0), signal);
    await flush(task, 2);
    expect(await task.flush([{ queue, nextOffset: 1 }], signal, { everything: false })).toEqual([{ queue, nextOffset: 1 }]);
  });

  it('fails the flush after a report that cannot be written', async () => {
    const task = await opened();
    await task.put(records([value(0, 0)], 0), signal);
    await rm(folder, { recursive: true });
    const byTime = (): ReturnType<SinkTask['flush']> => task.flush([{ queue, nextOffset: 1 }], signal, { everything: false });
    const failing = async (): Promise<never> => {
      for (;;) {
        await byTime();
        await setImmediate();
      }
    };
    await expect(failing()).rejects.toThrow(`Writing report ${reportFile()} failed`);
  });

  it('refuses a flush that does not cover what was put', async () => {
    const task = await opened();
    await task.put(records([value(0, 0), value(0, 1)], 0), signal);
    await expect(flush(task, 1)).rejects.toThrow('the flush is for records before 1');
    await expect(task.flush([], signal, EVERYTHING)).rejects.toThrow('the flush is for other queues');
    await flush(task, 2);
  });

  it('refuses records of a queue that it does not own', async () => {
    const task = await opened();
    await expect(task.put(records([value(0, 0)], 0, other), signal)).rejects.toThrow('t@b:1, which it does not own');
  });

  it('refuses a folder that does not exist, or is none, when it starts', async () => {
    const start = async (path: string): Promise<void> => {
      const task = verifySink.createTask();
      tasks.push(task);
      await task.start(sinkTestContext({ config: { 'report.dir': path } }));
    };
    const missing = join(folder, 'none');
    await expect(start(missing)).rejects.toMatchObject({
      code: 'CONNECT_SINK_FAILED',
      message: `Reports cannot be written to report.dir: folder ${missing} does not exist where the worker runs; create it`,
    });
    await writeFile(missing, '');
    await expect(start(missing)).rejects.toThrow(`Reports cannot be written to report.dir: ${missing} is not a folder`);
  });

  it('accepts the example', async () => {
    const example = JSON.parse(await readFile(new URL('../../examples/verify-a-load.json', import.meta.url), 'utf8')) as {
      readonly config: Record<string, string>;
    };
    const common = new Set(['connector.class', 'tasks.max', 'topics']);
    const parsed = parseConfig(verifySinkSpec, example.config, { isKnownElsewhere: (key) => common.has(key) });
    expect(parsed).toMatchObject({ ok: true, warnings: [] });
    expect(example.config['connector.class']).toBe(verifySink.name);
  });
});
