import type { BackoffLimits } from '@sluice/time';
import { ConnectError, ConnectErrorCode, parseConfig, type TaskConfig } from '@sluice/sdk';
import { JavaPattern } from '@sluice/transforms';
import type { ErrorReporting } from '../dead-letters/record-errors.js';
import type { SinkLoopSettings } from '../sink/sink-loop-options.js';
import { type Granularity, type MovedUnits, NOTHING_MOVED } from '../sink/queue-division.js';
import type { Subscription } from '../sink/subscription.js';
import type { QueueBy } from '../source/queue-keys.js';
import type { SourceLoopSettings } from '../source/source-loop-options.js';
import { type CommonSettings, rateLimitsSpec, type SinkSettings, type SourceSettings } from './connector-settings.js';
import type { RateLimits } from '../task/shared-rate.js';

const FIRST_DELAY_MS = 300;
const MEBIBYTE = 1024 * 1024;

export function sourceLoopSettings(settings: SourceSettings): SourceLoopSettings {
  const maxBatchBytes = settings['producer.batch.bytes'];
  const maxUnavailableMs = settings['queue.unavailable.timeout.ms'];
  return {
    ...loopSettings(settings),
    maxBatchBytes,
    maxBufferedBytes: Math.max(16 * MEBIBYTE, 4 * maxBatchBytes),
    maxBufferedRecords: 50_000,
    rewriteIntervalMs: 3_600_000,
    maxUnavailableMs: maxUnavailableMs === -1 ? undefined : maxUnavailableMs,
  };
}

/** Returns what chooses the queue of a record; `undefined` where its source partition does. */
export function queueByOf(settings: SourceSettings): QueueBy | undefined {
  const { 'queue.by': by, 'queue.by.header': header = '' } = settings;
  if (by === 'partition') return undefined;
  return by === 'header' ? { kind: 'header', header } : { kind: by };
}

export function sinkLoopSettings(settings: SinkSettings): SinkLoopSettings {
  return {
    ...loopSettings(settings),
    maxPutRecords: settings['max.poll.records'],
    maxAheadPerQueue: { maxBytes: 4 * MEBIBYTE, maxRecords: 20_000 },
    maxAhead: { maxBytes: 16 * MEBIBYTE, maxRecords: 50_000 },
    refreshIntervalMs: 4000,
    offsetReset: settings['consumer.offset.reset'],
  };
}

/** Returns what task number `index` of a sink reads. @throws ConnectError when its settings were not made by splitting a connector. */
export function subscriptionOf(settings: SinkSettings, config: TaskConfig, index: number): Subscription {
  const granularity = settings['task.granularity'];
  return { topics: topicsOf(settings), share: { index, count: taskCountOf(config), granularity, moved: movedIn(config, granularity) } };
}

export function topicsOf({ topics, 'topics.regex': pattern = '' }: SinkSettings): Subscription['topics'] {
  if (topics !== undefined && topics.length > 0) return { kind: 'names', names: [...new Set(topics)] };
  return { kind: 'pattern', pattern: new JavaPattern(pattern.trim()) };
}

/** In the settings of a task of a sink, where it reads otherwise than by the rule. Written when a connector is split, not by users. */
export const MOVED_SETTING = 'sluice.task.moved';

/** Writes what is moved, always alike: another text would restart the task. @returns `undefined` where nothing is moved */
export function movedText({ taken, given }: MovedUnits = NOTHING_MOVED, granularity: Granularity): string | undefined {
  return taken.size + given.size === 0 ? undefined : JSON.stringify({ granularity, taken: [...taken].sort(), given: [...given].sort() });
}

/** Reads what {@link movedText} wrote; nothing where that was for another granularity. @throws ConnectError for another text */
export function movedIn(config: Readonly<Record<string, string | null>>, granularity: Granularity): MovedUnits {
  const text = config[MOVED_SETTING];
  if (text === undefined || text === null) return NOTHING_MOVED;
  const moved = parsedMoved(text);
  if (moved === undefined) {
    throw new ConnectError(
      ConnectErrorCode.configInvalid,
      `${MOVED_SETTING} is ${text}; expected are the queues or topics that the task was given`,
    );
  }
  return moved.granularity === granularity ? { taken: new Set(moved.taken), given: new Set(moved.given) } : NOTHING_MOVED;
}

interface WrittenMoved {
  readonly granularity: string;
  readonly taken: readonly string[];
  readonly given: readonly string[];
}

function parsedMoved(text: string): WrittenMoved | undefined {
  const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((each) => typeof each === 'string');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { granularity, taken, given } = parsed as Partial<WrittenMoved>;
  return typeof granularity === 'string' && isTexts(taken) && isTexts(given) ? { granularity, taken, given } : undefined;
}

/** In the settings of a task: how many tasks divide the queues of a sink. Written when a connector is split, not by users. */
export const TASK_COUNT_SETTING = 'sluice.task.count';

/** @throws ConnectError when the settings were not made by splitting a connector. */
export function taskCountOf(config: TaskConfig): number {
  const count = Number(config[TASK_COUNT_SETTING]);
  if (Number.isInteger(count) && count > 0) return count;
  throw new ConnectError(
    ConnectErrorCode.configInvalid,
    `${TASK_COUNT_SETTING} is "${config[TASK_COUNT_SETTING] ?? ''}"; expected is the number of the connector's tasks`,
  );
}

/** Returns how many queues a topic gets that a source finds missing, or `undefined` if it must not be created. */
export function topicCreationOf(settings: SourceSettings): { readonly queues: number } | undefined {
  return settings['topic.creation.enable'] ? { queues: settings['topic.creation.default.partitions'] } : undefined;
}

/** Returns the limits of all tasks together; none where the settings are wrong, with which no task starts. */
export function rateLimitsOf(config: TaskConfig): RateLimits {
  const parsed = parseConfig(rateLimitsSpec, config, { unknownKeys: 'ignore' });
  if (!parsed.ok) return { records: undefined, bytes: undefined };
  return { records: parsed.value['rate.limit.records.per.second'], bytes: parsed.value['rate.limit.bytes.per.second'] };
}

function loopSettings(settings: CommonSettings): {
  readonly flushIntervalMs: number;
  readonly shutdownTimeoutMs: number;
  readonly retryTimeoutMs: number | undefined;
  readonly backoff: BackoffLimits;
  readonly skipsBadRecords: boolean;
  readonly errors: ErrorReporting;
} {
  const retryTimeoutMs = settings['errors.retry.timeout'];
  const maxMs = settings['errors.retry.delay.max.ms'];
  return {
    flushIntervalMs: settings['offset.flush.interval.ms'],
    shutdownTimeoutMs: settings['task.shutdown.timeout.ms'],
    retryTimeoutMs: retryTimeoutMs === -1 ? undefined : retryTimeoutMs,
    backoff: { initialMs: Math.min(FIRST_DELAY_MS, maxMs), maxMs },
    skipsBadRecords: settings['errors.tolerance'] === 'all',
    errors: errorReporting(settings),
  };
}

function errorReporting(settings: CommonSettings): ErrorReporting {
  // Where a record that fails ends the task, nobody needs the topic.
  const topic = settings['errors.tolerance'] === 'all' ? settings['errors.deadletterqueue.topic.name'] : '';
  const hasContext = settings['errors.deadletterqueue.context.headers.enable'];
  return {
    logs: settings['errors.log.enable'],
    logsContents: settings['errors.log.include.messages'],
    deadLetters: topic === '' ? undefined : { topic, hasContext },
  };
}
