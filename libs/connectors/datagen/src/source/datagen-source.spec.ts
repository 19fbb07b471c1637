import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  parseConfig,
  type SourceConnector,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  type TaskConfig,
} from '@sluice/sdk';
import { decodeVerificationRecord, type VerificationNumbers } from '@sluice/verification';
import { RememberedPositions, sourceContract, sourceTestContext, splitTestContext } from '@sluice/testing';
import { datagenSource } from './datagen-source.connector.js';
import { datagenSourceSpec } from './settings.js';

let tasks: SourceTask[] = [];

afterEach(async () => {
  for (const task of tasks) await task.stop();
  tasks = [];
});

async function start(config: TaskConfig, positions = new RememberedPositions(), index = 0): Promise<SourceTask> {
  const task = datagenSource.createTask();
  tasks.push(task);
  const own = (await datagenSource.taskConfigs(config, Number(config['tasks.max'] ?? 1), splitTestContext()))[index]!;
  await task.start(sourceTestContext({ config: own }, positions));
  return task;
}

const never = new AbortController().signal;
const fullSpeed = { topic: 't', rate: '0' };

function numbersOf(record: SourceRecord): VerificationNumbers {
  const decoded = decodeVerificationRecord(record.value as Buffer);
  if (!decoded.ok) throw new Error(decoded.problem);
  return decoded.numbers;
}

async function collect(task: SourceTask, count: number): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  const signal = AbortSignal.timeout(10_000);
  while (records.length < count && !signal.aborted) records.push(...(await task.poll(signal)));
  return records;
}

/**
 * The contract speaks of texts that are appended to a system. The generator has no such system: here its records stand for the texts in their
 * order, and it makes as many as there are texts. The record 0 is taken as read, because 0 records are no end.
 */
class AppendedTexts {
  readonly texts: string[] = [];
  /** No text is appended any more: the end of the records is that of the data. */
  isFinished = false;

  get connector(): Pick<SourceConnector, 'createTask'> {
    return { createTask: () => new TextTask(this) };
  }
}

class TextTask implements SourceTask {
  #task = datagenSource.createTask();
  #context: SourceTaskContext | undefined;
  readonly #reached = new RememberedPositions();
  #made = 0;

  constructor(readonly system: AppendedTexts) {}

  async start(context: SourceTaskContext): Promise<void> {
    this.#context = {
      ...context,
      complete: () => {
        if (this.system.isFinished) context.complete();
      },
      position: (partition) => this.#reached.get(partition) ?? context.position(partition) ?? { seq: 1 },
    };
    await this.#startInner();
  }

  async #startInner(): Promise<void> {
    this.#made = this.system.texts.length;
    const context = this.#context!;
    await this.#task.start({ ...context, config: { ...context.config, records: String(this.#made + 1) } });
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    if (this.#made !== this.system.texts.length) {
      await this.#task.stop();
      this.#task = datagenSource.createTask();
      await this.#startInner();
    }
    const records = await this.#task.poll(signal);
    for (const record of records) this.#reached.set(record.partition, record.position);
    return records.map((record) => ({ ...record, value: this.system.texts[numbersOf(record).seq - 1] ?? 'too many' }));
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }
}

describe('every source, here the generator', () => {
  let system = new AppendedTexts();
  const cases = sourceContract({
    connector: { ...datagenSource, createTask: () => system.connector.createTask() },
    brokenConfig: { topic: 't', partitions: 'many' },
    setUp: () => {
      system = new AppendedTexts();
      return Promise.resolve({
        config: fullSpeed,
        append: (values) => Promise.resolve(void system.texts.push(...values)),
        finish: () => Promise.resolve(void (system.isFinished = true)),
        tearDown: () => Promise.resolve(),
      });
    },
  });
  it.each(cases)('$title', ({ run }) => run());
});

describe('the generator', () => {
  it('numbers its records per partition and per key, and says where each resumes', async () => {
    const before = Date.now();
    const task = await start({
      ...fullSpeed,
      partitions: '2',
      keys: '3',
      seed: '9',
      records: '8',
      'record.size': '200',
    });
    const records = await collect(task, 8);
    expect(records.map((record) => numbersOf(record)).filter(({ partition }) => partition === 0)).toEqual(
      [
        ['key-0', 0],
        ['key-2', 0],
        ['key-0', 1],
        ['key-2', 1],
      ].map(([key, keySeq], seq) => ({ seed: 9, partition: 0, seq, key, keySeq, createdMs: expect.any(Number) })),
    );
    const [first] = records;
    expect(first).toMatchObject({
      topic: 't',
      key: 'key-0',
      partition: { seed: 9, partition: 0 },
      position: { seq: 1, keys: 2 },
    });
    expect(first?.value).toHaveLength(200);
    expect(first?.timestamp).toBe(numbersOf(first!).createdMs);
    expect(first?.timestamp).toBeGreaterThanOrEqual(before);
  });

  it('makes the same records in any batches, but for the time', async () => {
    const config = { ...fullSpeed, partitions: '3', keys: '5', records: '100' };
    const [large, small] = await Promise.all(
      ['500', '7'].map(async (size) => {
        const records = await collect(await start({ ...config, 'batch.size': size }), 100);
        return records.map((record) => ({ ...numbersOf(record), createdMs: 0 }));
      }),
    );
    const byPlace = (left: VerificationNumbers, right: VerificationNumbers): number =>
      left.partition - right.partition || left.seq - right.seq;
    expect(large).toHaveLength(100);
    expect([...large!].sort(byPlace)).toEqual([...small!].sort(byPlace));
  });

  it('resumes at its positions when its partitions are split over other tasks', async () => {
    const config = { ...fullSpeed, partitions: '5', keys: '50', records: '503', 'batch.size': '10' };
    const positions = new RememberedPositions();
    const seen = new Set<string>();
    const take = (records: readonly SourceRecord[]): void => {
      for (const record of records) {
        const { partition, seq } = numbersOf(record);
        seen.add(`${partition}/${seq}`);
        positions.set(record.partition, record.position);
      }
    };
    let count = 0;
    for (const index of [0, 1]) {
      const records = await collect(await start({ ...config, 'tasks.max': '2' }, positions, index), 95);
      count += records.length;
      take(records);
    }
    for (const index of [0, 1, 2]) {
      const task = await start({ ...config, 'tasks.max': '3' }, positions, index);
      for (let records = await task.poll(never); records.length > 0; records = await task.poll(never)) {
        count += records.length;
        take(records);
      }
    }
    expect(seen.size).toBe(503);
    expect(count).toBe(503);
  });

  it('keeps to its rate', async () => {
    const startMs = performance.now();
    const task = await start({ topic: 't', rate: '200', partitions: '4', keys: '4' });
    const records = await collect(task, 100);
    const elapsedMs = performance.now() - startMs;
    // A stall of the machine makes it slower, never faster.
    expect(records.length).toBeLessThanOrEqual((elapsedMs * 200) / 1000);
    const perPartition = [0, 1, 2, 3].map((p) => records.filter((record) => record.partition['partition'] === p).length);
    expect(Math.max(...perPartition) - Math.min(...perPartition)).toBeLessThanOrEqual(records.length / 4);
  });

  it('ends a poll at once when it is aborted while it waits for the next record', async () => {
    const [waiting, aborted] = [await start({ topic: 't', rate: '10' }), await start({ topic: 't', rate: '0.001' })];
    const controller = new AbortController();
    const ended: string[] = [];
    // If the abort did nothing, the poll with a record due after 100 ms would end first.
    const polls = [
      waiting.poll(never).then(() => ended.push('waiting')),
      aborted.poll(controller.signal).then(() => ended.push('aborted')),
    ];
    controller.abort();
    await Promise.all(polls);
    expect(ended).toEqual(['aborted', 'waiting']);
  });

  it('hands on few large records at once', async () => {
    const task = await start({ ...fullSpeed, 'record.size': '1000000', 'batch.size': '5000' });
    expect(await task.poll(never)).toHaveLength(4);
  });

  it('makes a share of records large, and a share late, the same ones for the same seed', async () => {
    const config = { ...fullSpeed, 'large.record.share': '0.05', 'large.record.size': '5000', 'late.record.share': '0.1', records: '2000' };
    const shapes = async (seed: string): Promise<readonly (readonly [number, number])[]> => {
      const records = await collect(await start({ ...config, seed, 'late.record.mean.ms': '1000' }), 2000);
      return records.map((record) => [(record.value as Buffer).length, numbersOf(record).createdMs - (record.timestamp ?? 0)]);
    };
    const found = await shapes('5');
    expect(await shapes('5')).toEqual(found);
    expect(await shapes('6')).not.toEqual(found);
    const large = found.filter(([size]) => size === 5000);
    expect(found.filter(([size]) => size === 256)).toHaveLength(2000 - large.length);
    expect(large.length / 2000).toBeCloseTo(0.05, 1);
    const late = found.map(([, delayMs]) => delayMs).filter((delayMs) => delayMs > 0);
    expect(late.length / 2000).toBeCloseTo(0.1, 1);
    const mean = late.reduce((sum, delayMs) => sum + delayMs, 0) / late.length;
    expect(mean).toBeGreaterThan(700);
    expect(mean).toBeLessThan(1400);
  });

  it('completes with the last record of all its partitions, and at once where there is none left', async () => {
    const config = { topic: 't', rate: '0', records: '7', partitions: '2', 'batch.size': '3' };
    const positions = new RememberedPositions();
    let completions = 0;
    const run = async (): Promise<SourceTask> => {
      const task = datagenSource.createTask();
      tasks.push(task);
      const [own] = await datagenSource.taskConfigs(config, 1, splitTestContext());
      await task.start(sourceTestContext({ config: own!, onComplete: () => (completions += 1) }, positions));
      return task;
    };
    const task = await run();
    for (let left = 7; left > 0;) {
      expect(completions).toBe(0);
      for (const { partition, position } of await task.poll(never)) {
        positions.set(partition, position);
        left -= 1;
      }
    }
    expect(completions).toBe(1);
    await run();
    expect(completions).toBe(2);
  });

  it('takes a position that a user set', async () => {
    const positions = new RememberedPositions();
    positions.set({ seed: 1, partition: 0 }, { seq: 41 });
    const [record] = await (await start(fullSpeed, positions)).poll(never);
    expect(numbersOf(record!).seq).toBe(41);
  });

  it.each([
    [{ seq: 'x' }, 'a whole number from 0'],
    [{ seq: -1 }, 'a whole number from 0'],
    [{ seq: 2n ** 60n }, '{"seq":1152921504606846976} of source partition {"seed":1,"partition":0}'],
    [{ seq: 3, keys: 7 }, 'another number of keys than the 1000'],
    [{ seq: 3, keys: 1000, skew: 1 }, 'another keys.skew than 0'],
  ])('refuses the position %p', async (position, reason) => {
    const positions = new RememberedPositions();
    positions.set({ seed: 1, partition: 0 }, position);
    await expect(start(fullSpeed, positions)).rejects.toMatchObject({
      code: 'CONNECT_POSITION_INVALID',
      message: expect.stringContaining(reason),
    });
  });

  it('refuses a position from before its keys were skewed', async () => {
    const positions = new RememberedPositions();
    positions.set({ seed: 1, partition: 0 }, { seq: 3, keys: 1000 });
    await expect(start({ ...fullSpeed, 'keys.skew': '1' }, positions)).rejects.toThrow('assumes another keys.skew than 1');
  });

  it('refuses fewer keys than partitions', () => {
    expect(datagenSource.validate?.({ topic: 't', partitions: '4', keys: '3' }, new AbortController().signal)).toEqual([
      {
        field: 'keys',
        message: 'Invalid value 3 for configuration keys: Value must be at least the number of partitions, 4',
      },
    ]);
    expect(datagenSource.validate?.({ topic: 't', partitions: '4', keys: '4' }, new AbortController().signal)).toEqual([]);
  });

  it('refuses partitions that it does not have', async () => {
    const task = datagenSource.createTask();
    const config = { ...fullSpeed, 'task.partitions': '0,1' };
    await expect(task.start(sourceTestContext({ config }))).rejects.toMatchObject({ code: 'CONNECT_CONFIG_INVALID' });
  });

  it.each(['steady-load.json', 'full-speed.json', 'orders.json'])('accepts the example %s', async (name) => {
    const example = JSON.parse(await readFile(new URL(`../../examples/${name}`, import.meta.url), 'utf8')) as {
      readonly config: Record<string, string>;
    };
    const common = /^(connector\.class|tasks\.max|topic\.creation\.default\.partitions|value\.converter.*)$/;
    const parsed = parseConfig(datagenSourceSpec, example.config, { isKnownElsewhere: (key) => common.test(key) });
    expect(parsed).toMatchObject({ ok: true, warnings: [] });
    expect(datagenSource.validate?.(example.config, new AbortController().signal)).toEqual([]);
    expect(example.config['connector.class']).toBe(datagenSource.name);
  });
});
