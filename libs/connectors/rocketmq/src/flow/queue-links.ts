import { ConnectError, ConnectErrorCode, type QueueRef, type TaskConfig } from '@sluice/sdk';

/** One queue of the source, and where its messages go. */
export interface QueueLink {
  readonly source: QueueRef;
  readonly target: QueueRef;
  /** Offset of the first message to copy, where none has been copied yet. */
  readonly start: number;
}

/** In the settings of a task: its queues. Written when the connector is split, not by users. */
export const QUEUES_SETTING = 'sluice.task.queues';

/** Queues of a broker whose ids follow one another, as those of their targets do, with one start. */
type Run = [source: string, sourceId: number, target: string, targetId: number, count: number, start: number];

/** The queues of a topic: its name, that at the target, and runs. */
type TopicRuns = readonly [topic: string, target: string, runs: readonly Run[]];

/** Writes the queues of a task as JSON, always alike for the same queues in the same order: another text would restart the task. */
export function linksText(links: readonly QueueLink[]): string {
  const topics: [string, string, Run[]][] = [];
  for (const { source, target, start } of links) {
    let topic = topics.at(-1);
    if (topic?.[0] !== source.topic || topic[1] !== target.topic) topics.push((topic = [source.topic, target.topic, []]));
    const last = topic[2].at(-1);
    const follows =
      last?.[0] === source.brokerName &&
      last[2] === target.brokerName &&
      last[1] + last[4] === source.queueId &&
      last[3] + last[4] === target.queueId &&
      last[5] === start;
    if (follows) last[4]++;
    else topic[2].push([source.brokerName, source.queueId, target.brokerName, target.queueId, 1, start]);
  }
  return JSON.stringify(topics);
}

/**
 * Reads what {@link linksText} wrote.
 * @throws {ConnectError} for settings of a task that were not made by splitting a connector
 */
export function linksIn(config: TaskConfig): readonly QueueLink[] {
  const text = config[QUEUES_SETTING];
  const topics = text === undefined ? undefined : parsed(text);
  if (!Array.isArray(topics) || !topics.every(isTopicRuns)) {
    const given = text === undefined ? 'missing' : `"${text.slice(0, 100)}"`;
    throw new ConnectError(
      ConnectErrorCode.configInvalid,
      `${QUEUES_SETTING} is ${given}; expected are the queues that the task was given`,
    );
  }
  return topics.flatMap(([topic, targetTopic, runs]) =>
    runs.flatMap(([source, sourceId, target, targetId, count, start]) =>
      Array.from({ length: count }, (_, at) => ({
        source: { topic, brokerName: source, queueId: sourceId + at },
        target: { topic: targetTopic, brokerName: target, queueId: targetId + at },
        start,
      })),
    ),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTopicRuns(value: unknown): value is TopicRuns {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [topic, target, runs] = value as readonly unknown[];
  return typeof topic === 'string' && typeof target === 'string' && Array.isArray(runs) && runs.every(isRun);
}

function isRun(value: unknown): value is Run {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [source, sourceId, target, targetId, count, start] = value as readonly unknown[];
  const areNumbers = [sourceId, targetId, count, start].every((each) => Number.isSafeInteger(each) && (each as number) >= 0);
  return typeof source === 'string' && typeof target === 'string' && areNumbers;
}

/** Reads what `queueKey` of the sdk writes, `topic@broker:queue`; `undefined` for anything else. */
export function parseQueueKey(key: string): QueueRef | undefined {
  const at = key.indexOf('@');
  const colon = key.lastIndexOf(':');
  const id = key.slice(colon + 1);
  if (at < 1 || colon <= at + 1 || !/^\d{1,9}$/.test(id)) return undefined;
  return { topic: key.slice(0, at), brokerName: key.slice(at + 1, colon), queueId: Number(id) };
}
