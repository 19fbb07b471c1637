import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { ConnectError, SourceConnector, SourceRecord, SourceTask, TaskConfig } from '@sluice/sdk';
import { connectorCases } from './connector-cases.js';
import type { ContractCase } from './contract-case.js';
import { RememberedPositions, sourceTestContext, splitTestContext, type TestContextOptions } from './task-contexts.js';
import { bodyOf, isRaw, namedQueues, textOf } from './raw-records.js';
import { within } from './within.js';

/** An external system to read from, made for one case. */
export interface SourceFixture {
  /** A valid configuration of a connector with one task. */
  readonly config: TaskConfig;
  /** Adds values at the end, in order; of a connector of raw records messages with these bodies, not compressed. */
  readonly append: (values: readonly string[]) => Promise<void>;
  /** Ends the data: nothing is appended any more. Given where the source completes. */
  readonly finish?: () => Promise<void>;
  /** Adds input at the end that the source cannot read. Given where there is such input. */
  readonly appendUnreadable?: () => Promise<void>;
  readonly tearDown: () => Promise<void>;
}

export interface SourceContractSubject {
  readonly connector: SourceConnector;
  readonly setUp: () => Promise<SourceFixture>;
  /** A configuration whose `start` fails, if there is one that `spec` lets through or not. */
  readonly brokenConfig?: TaskConfig;
  /** How long a case waits for records that are there, in milliseconds; 10 s by default. */
  readonly patienceMs?: number;
}

const PROMPT_MS = 2_000;
const VALUES = ['a', 'bc', '', 'ünï', 'last'];

/** Lists the facts that the runtime relies on in every source connector. */
export function sourceContract(subject: SourceContractSubject): readonly ContractCase[] {
  return [
    ...connectorCases({
      connector: subject.connector,
      withConfig: (body) => withFixture(subject, ({ config }) => body(config)),
    }),
    {
      title: 'says whether it supports exactly once, if it says so, in one of the two words and always alike',
      run: () =>
        withFixture(subject, ({ config }) => {
          const answer: unknown = subject.connector.exactlyOnceSupport?.(config);
          ok(answer === undefined || answer === 'supported' || answer === 'unsupported', `the connector answers ${String(answer)}`);
          equal(subject.connector.exactlyOnceSupport?.(config), answer);
          return Promise.resolve();
        }),
    },
    {
      title: 'hands out everything, in order, and then what comes later',
      run: () =>
        withFixture(subject, async (fixture) => {
          await fixture.append(VALUES);
          await withTask(subject, fixture, new RememberedPositions(), async (task) => {
            deepEqual(textsOf(subject, await collect(subject, task, VALUES.length)), VALUES);
            await fixture.append(['later']);
            deepEqual(textsOf(subject, await collect(subject, task, 1)), ['later']);
          });
        }),
    },
    {
      title: 'names partitions and positions in small, flat objects',
      run: () =>
        withFixture(subject, async (fixture) => {
          await fixture.append(VALUES);
          await withTask(subject, fixture, new RememberedPositions(), async (task) => {
            for (const record of await collect(subject, task, VALUES.length)) {
              for (const item of Object.values(record.partition)) ok(['string', 'number'].includes(typeof item));
              for (const item of Object.values(record.position)) ok(['string', 'number', 'boolean'].includes(typeof item));
            }
          });
        }),
    },
    ...(isRaw(subject.connector) ? [namesQueues(subject)] : []),
    {
      title: 'resumes after any record without loss or duplicates',
      run: () =>
        withFixture(subject, async (fixture) => {
          await fixture.append(VALUES);
          for (let stopAfter = 1; stopAfter <= VALUES.length; stopAfter += 1) {
            const positions = new RememberedPositions();
            await withTask(subject, fixture, positions, async (task) => {
              for (const record of (await collect(subject, task, VALUES.length)).slice(0, stopAfter)) {
                positions.set(record.partition, record.position);
              }
            });
            await withTask(subject, fixture, positions, async (task) => {
              const rest = VALUES.slice(stopAfter);
              deepEqual(textsOf(subject, await collect(subject, task, rest.length)), rest);
              deepEqual(textsOf(subject, await task.poll(abortedAfter(50))), []);
            });
          }
        }),
    },
    {
      title: 'hands out again what was not committed when its process died',
      run: () =>
        withFixture(subject, async (fixture) => {
          await fixture.append(VALUES);
          const positions = new RememberedPositions();
          const dead = await startTask(subject, fixture, positions);
          const [first] = await collect(subject, dead, VALUES.length);
          ok(first !== undefined);
          positions.set(first.partition, first.position);
          await dead.commit?.([{ partition: first.partition, position: first.position }]);
          try {
            await withTask(subject, fixture, positions, async (task) => {
              deepEqual(textsOf(subject, await collect(subject, task, VALUES.length - 1)), VALUES.slice(1));
            });
          } finally {
            await dead.stop();
          }
        }),
    },
    {
      title: 'answers with nothing after a moment when there is nothing',
      run: () =>
        withFixture(subject, async (fixture) => {
          await withTask(subject, fixture, new RememberedPositions(), async (task) => {
            deepEqual(await within(5_000, 'poll', task.poll(new AbortController().signal)), []);
          });
        }),
    },
    {
      title: 'ends a poll promptly when its signal is aborted',
      run: () =>
        withFixture(subject, async (fixture) => {
          await withTask(subject, fixture, new RememberedPositions(), async (task) => {
            const controller = new AbortController();
            const polled = task.poll(controller.signal);
            controller.abort();
            await within(PROMPT_MS, 'an aborted poll', polled);
            await within(PROMPT_MS, 'a poll that is aborted from the start', task.poll(controller.signal));
          });
        }),
    },
    {
      title: 'takes what became of each record, sent or not, and then its position',
      run: () =>
        withFixture(subject, async (fixture) => {
          await fixture.append(VALUES);
          const positions = new RememberedPositions();
          await withTask(subject, fixture, positions, async (task) => {
            for (const [offset, record] of (await collect(subject, task, VALUES.length)).entries()) {
              const queue = { topic: record.topic, brokerName: 'broker-a', queueId: 0 };
              // Every other one was dropped; of the third nobody knows the place.
              const stored = { queue, offset: offset === 2 ? undefined : offset, messageId: undefined };
              await task.commitRecord?.(record, offset % 2 === 0 ? stored : undefined);
              positions.set(record.partition, record.position);
              await task.commit?.([{ partition: record.partition, position: record.position }]);
            }
          });
          await withTask(subject, fixture, positions, async (task) => {
            deepEqual(textsOf(subject, await task.poll(abortedAfter(50))), []);
          });
        }),
    },
    {
      title: 'completes with its last record, and again whenever it is started after that',
      run: () =>
        withFixture(subject, async (fixture) => {
          if (fixture.finish === undefined) return;
          await fixture.append(VALUES);
          await fixture.finish();
          const positions = new RememberedPositions();
          const first = await completedRun(subject, fixture, positions);
          deepEqual(textsOf(subject, first), VALUES);
          const [half] = first;
          ok(half !== undefined);
          positions.set(half.partition, half.position);
          const rest = await completedRun(subject, fixture, positions);
          deepEqual(textsOf(subject, rest), VALUES.slice(1));
          for (const { partition, position } of rest) positions.set(partition, position);
          deepEqual(textsOf(subject, await completedRun(subject, fixture, positions)), []);
        }),
    },
    {
      title: 'reports unreadable input once, in its place, and resumes behind it',
      run: () =>
        withFixture(subject, async (fixture) => {
          if (fixture.appendUnreadable === undefined) return;
          await fixture.append(['before']);
          await fixture.appendUnreadable();
          await fixture.append(['behind']);
          const config = { ...fixture.config, 'errors.tolerance': 'all' };
          const [unreadable, warnings] = [new Map<SourceRecord, ConnectError>(), [] as string[]];
          const reports = (): number => unreadable.size + warnings.length;
          const positions = new RememberedPositions();
          const task = await startTask(subject, { ...fixture, config }, positions, { unreadable, warnings });
          try {
            // A mark has a position: the task may be started behind it.
            const polled = await pollUntil(subject, task, (records) => records.length - unreadable.size === 2);
            deepEqual(
              textsOf(
                subject,
                polled.filter((record) => !unreadable.has(record)),
              ),
              ['before', 'behind'],
            );
            equal(reports(), 1, 'unreadable input is reported once');
            const mark = polled.findIndex((record) => unreadable.has(record));
            if (mark < 0) return;
            equal(mark, 1, 'the mark stands in the place of the input');
            for (const { partition, position } of polled.slice(0, 2)) positions.set(partition, position);
          } finally {
            await task.stop();
          }
          await withTask(subject, { ...fixture, config }, positions, async (next) => {
            deepEqual(textsOf(subject, await collect(subject, next, 1)), ['behind']);
          });
        }),
    },
    {
      title: 'can be stopped without a start, and after one that failed',
      run: async () => {
        await subject.connector.createTask().stop();
        const { brokenConfig } = subject;
        if (brokenConfig === undefined) return;
        const task = subject.connector.createTask();
        await rejects(async () => task.start(sourceTestContext({ config: brokenConfig })));
        await task.stop();
      },
    },
  ];
}

function namesQueues(subject: SourceContractSubject): ContractCase {
  return {
    title: 'names one queue for each partition of raw records, by broker and number, and the same after a restart',
    run: () =>
      withFixture(subject, async (fixture) => {
        await fixture.append(VALUES);
        const runs: ReadonlyMap<string, string>[] = [];
        for (const restart of [false, true]) {
          const positions = new RememberedPositions();
          if (restart) await fixture.append(['later']);
          await withTask(subject, fixture, positions, async (task) => {
            runs.push(namedQueues(await collect(subject, task, VALUES.length + Number(restart))));
          });
        }
        deepEqual(runs[1], runs[0]);
      }),
  };
}

async function withFixture(subject: SourceContractSubject, body: (fixture: SourceFixture) => Promise<void>): Promise<void> {
  const fixture = await subject.setUp();
  const append = (values: readonly string[]): Promise<void> => fixture.append(values.map((value) => bodyOf(subject.connector, value)));
  try {
    await body({ ...fixture, append });
  } finally {
    await fixture.tearDown();
  }
}

async function startTask(
  subject: SourceContractSubject,
  fixture: SourceFixture,
  positions: RememberedPositions,
  options: Omit<TestContextOptions, 'config'> = {},
): Promise<SourceTask> {
  const [config] = await subject.connector.taskConfigs(fixture.config, 1, splitTestContext());
  ok(config !== undefined);
  const task = subject.connector.createTask();
  await task.start(sourceTestContext({ ...options, config }, positions));
  return task;
}

async function withTask(
  subject: SourceContractSubject,
  fixture: SourceFixture,
  positions: RememberedPositions,
  body: (task: SourceTask) => Promise<void>,
): Promise<void> {
  const task = await startTask(subject, fixture, positions);
  try {
    await body(task);
  } finally {
    await task.stop();
  }
}

/** Runs a task until it says that it has no more data, and returns its records. */
async function completedRun(
  subject: SourceContractSubject,
  fixture: SourceFixture,
  positions: RememberedPositions,
): Promise<readonly SourceRecord[]> {
  let completions = 0;
  const onComplete = (): void => {
    completions += 1;
  };
  const task = await startTask(subject, fixture, positions, { onComplete });
  try {
    const records = await pollUntil(subject, task, () => completions > 0);
    equal(completions > 0, true, 'a source whose data has ended completes');
    return records;
  } finally {
    await task.stop();
  }
}

/** Polls until the records suffice, or the subject's patience ends. */
async function pollUntil(
  { patienceMs = 10_000 }: SourceContractSubject,
  task: SourceTask,
  suffice: (records: readonly SourceRecord[]) => boolean,
): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  const signal = AbortSignal.timeout(patienceMs);
  while (!suffice(records) && !signal.aborted) records.push(...(await task.poll(signal)));
  return records;
}

/** Polls until there are `count` records; fails when there are more, or not enough in time. */
async function collect(subject: SourceContractSubject, task: SourceTask, count: number): Promise<readonly SourceRecord[]> {
  const records = await pollUntil(subject, task, ({ length }) => length >= count);
  equal(records.length, count, `polled ${textsOf(subject, records).join(', ')}`);
  return records;
}

function abortedAfter(timeoutMs: number): AbortSignal {
  return AbortSignal.timeout(timeoutMs);
}

function textsOf({ connector }: SourceContractSubject, records: readonly SourceRecord[]): readonly string[] {
  return records.map((record) => textOf(connector, record));
}
