import { ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ConnectError,
  ConnectErrorCode,
  isRetriable,
  MAX_SINK_TIMEOUT_MS,
  queueKey,
  type QueueRef,
  type SinkConnector,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type TaskConfig,
} from '@sluice/sdk';
import { bodyOf, isRaw, rawOf, valueIn } from './raw-records.js';
import { sinkTestContext, splitTestContext } from './task-contexts.js';

/** An external system to write to, made for one case. */
export interface SinkFixture {
  /** A valid configuration of a connector with one task. */
  readonly config: TaskConfig;
  /** Every value in the system now; of a connector of raw records the bodies of the messages. The order matters within a queue only. */
  readonly read: () => Promise<readonly string[]>;
  /** What the end of a process does to the system, for example giving up its locks. */
  readonly afterCrash?: () => Promise<void>;
  /** Has the system refuse the next write, and take the one after it. */
  readonly refuseOnce?: () => Promise<void>;
  /** Has the system lose the last value that was written: the sink has to notice at its next `put`, and to seek. */
  readonly loseLast?: () => Promise<void>;
  readonly tearDown: () => Promise<void>;
}

export interface SinkContractSubject {
  readonly connector: SinkConnector;
  readonly setUp: () => Promise<SinkFixture>;
  readonly brokenConfig?: TaskConfig;
  /** The sink keeps offsets with its data, so that a crash neither loses nor duplicates a record. */
  readonly storesOffsets: boolean;
}

export const queue: QueueRef = { topic: 'contract', brokerName: 'broker-a', queueId: 0 };
export const otherQueue: QueueRef = { topic: 'contract', brokerName: 'broker-a', queueId: 1 };
export const VALUES = ['a', 'bc', '', 'ünï', 'last'];
export const signal: AbortSignal = new AbortController().signal;
export const BY_TIME = { everything: false };
export const EVERYTHING = { everything: true };
const MAX_FLUSHES = 50;

/** Makes the records of a queue from one offset to before another; the offset is the place in `values`. */
export function records(of: QueueRef, from: number, to: number): readonly SinkRecord[] {
  return VALUES.slice(from, to).map((value, index) => ({ topic: of.topic, queue: of, offset: from + index, value: Buffer.from(value) }));
}

export function positionOf(of: QueueRef, offset: number): SinkPosition {
  return { queue: of, nextOffset: offset };
}

export function nextOffset(positions: readonly SinkPosition[]): number | undefined {
  return positions.find((position) => queueKey(position.queue) === queueKey(queue))?.nextOffset;
}

export async function withFixture(subject: SinkContractSubject, body: (fixture: SinkFixture) => Promise<void>): Promise<void> {
  const fixture = await subject.setUp();
  const read = async (): Promise<readonly string[]> => (await fixture.read()).map((text) => valueIn(subject.connector, text));
  try {
    await body({ ...fixture, read });
  } finally {
    await fixture.tearDown();
  }
}

export async function startTask(subject: SinkContractSubject, fixture: SinkFixture, seeks: SinkPosition[] = []): Promise<SinkTask> {
  const [config] = await subject.connector.taskConfigs(fixture.config, 1, splitTestContext());
  ok(config !== undefined);
  const task = subject.connector.createTask();
  const opened = new Set<string>();
  const requireOpened = (queues: readonly QueueRef[]): void => {
    for (const key of queues.map(queueKey)) if (!opened.has(key)) throw refused(`The task asks for queue ${key}, which it has not opened`);
  };
  await task.start({
    ...sinkTestContext({ config }),
    pause: requireOpened,
    resume: requireOpened,
    seek: (positions) => {
      requireOpened(positions.map((position) => position.queue));
      for (const { nextOffset: to } of positions) if (!Number.isSafeInteger(to) || to < 0) throw refused(`The task seeks to ${to}`);
      seeks.push(...positions);
    },
    timeout: (delayMs) => {
      if (!Number.isInteger(delayMs) || delayMs < 0 || delayMs > MAX_SINK_TIMEOUT_MS) {
        throw refused(`The task asks to be called again after ${delayMs} ms`);
      }
    },
  });
  const open = task.open.bind(task);
  task.open = (queues) => {
    for (const each of queues) opened.add(queueKey(each));
    return open(queues);
  };
  if (isRaw(subject.connector)) {
    const put = task.put.bind(task);
    task.put = (given, aborted) =>
      put(
        given.map((record) => rawRecord(subject.connector, record)),
        aborted,
      );
  }
  return task;
}

function rawRecord(connector: SinkConnector, record: SinkRecord): SinkRecord {
  const text = Buffer.from(record.value as Uint8Array).toString('utf8');
  return { ...record, value: null, raw: rawOf(bodyOf(connector, text)) };
}

export async function withTask(
  subject: SinkContractSubject,
  fixture: SinkFixture,
  queues: readonly QueueRef[],
  body: (task: SinkTask, positions: readonly SinkPosition[]) => Promise<void>,
): Promise<void> {
  const task = await startTask(subject, fixture);
  try {
    await body(task, await task.open(queues));
  } finally {
    await task.stop();
  }
}

/** Flushes until the sink says that everything is safe; with `failed` it may fail in between. */
export async function flushAll(task: SinkTask, positions: readonly SinkPosition[], failed?: (error: unknown) => void): Promise<void> {
  for (let time = 0; time < MAX_FLUSHES; time += 1) {
    try {
      const safe = (await task.flush(positions, signal, EVERYTHING)) ?? positions;
      const offsets = new Map(safe.map((position) => [queueKey(position.queue), position.nextOffset]));
      if (positions.every((position) => offsets.get(queueKey(position.queue)) === position.nextOffset)) return;
    } catch (error) {
      if (failed === undefined) throw error;
      failed(error);
    }
    await pause(20);
  }
  throw new Error(`The sink holds records back after everything was asked for ${MAX_FLUSHES} times`);
}

export function requireRetriable(error: unknown): void {
  if (!isRetriable(error)) throw error;
}

function refused(text: string): ConnectError {
  return new ConnectError(ConnectErrorCode.requestInvalid, text);
}
