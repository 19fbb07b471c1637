import { withinTime } from '@sluice/time';
import type { QueueRef, TaskConfig } from '@sluice/sdk';
import { parseSinkSettings, type SinkSettings } from '../config/connector-settings.js';
import { MOVED_SETTING, movedIn, movedText, TASK_COUNT_SETTING, topicsOf } from '../config/loop-settings.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { divideQueues, type MovedUnits } from '../sink/queue-division.js';
import { subscribedTopics } from '../sink/subscription.js';

/** The leader asks another runner when an answer takes longer than 15 s, and a connector's own check may take 5 s of these. */
const LIST_LIMIT_MS = 5_000;

type Topics = Pick<QueueMessages, 'topics' | 'queues'>;

export interface SinkDividerOptions {
  /** Calls an action with the cluster in which the topics of a connector live. */
  readonly inCluster: <T>(config: TaskConfig, action: (messages: Topics) => Promise<T>) => Promise<T>;
  /** What the present tasks of a connector have beside its settings, by their numbers; empty where it has none yet. */
  readonly presentTasks: (connector: string) => readonly Readonly<Record<string, string | null>>[];
  readonly warn: (message: string) => void;
}

/** Divides the queues or topics of a sink evenly over its tasks, with the fewest moves from its present tasks. */
export class SinkDivider {
  constructor(private readonly options: SinkDividerOptions) {}

  /**
   * Returns the settings that say what was moved, for each of `count` tasks by its number. Where the topics cannot be listed, the tasks keep the
   * queues that they have. They look themselves whether these are even.
   */
  async settingsOf(config: TaskConfig, count: number): Promise<readonly TaskConfig[]> {
    const { inCluster, presentTasks, warn } = this.options;
    const settings = parseSinkSettings(config);
    const granularity = settings['task.granularity'];
    const name = config['name'] ?? '';
    const before = count === 1 ? [] : movedBefore(presentTasks(name), settings, count);
    let moved = before;
    if (count > 1) {
      try {
        const late = (): Error => new Error(`the topics were not listed in ${LIST_LIMIT_MS} ms`);
        const listed = inCluster(config, (messages) => listQueues(messages, settings));
        const queues = await withinTime(listed, LIST_LIMIT_MS, late);
        moved = divideQueues(queues, { count, granularity }, before).moved;
      } catch (error) {
        warn(`The queues of connector ${name} are not divided again: ${String(error)}`);
      }
    }
    return Array.from({ length: count }, (_, index) => {
      const text = movedText(moved[index], granularity);
      return text === undefined ? {} : { [MOVED_SETTING]: text };
    });
  }
}

/** What tasks of another number, or of another granularity, have moved says nothing. */
function movedBefore(
  tasks: readonly Readonly<Record<string, string | null>>[],
  settings: SinkSettings,
  count: number,
): readonly MovedUnits[] {
  const isSame = tasks.length === count && tasks.every((task) => task[TASK_COUNT_SETTING] === String(count));
  return isSame ? tasks.map((task) => movedIn(task, settings['task.granularity'])) : [];
}

async function listQueues(messages: Topics, settings: SinkSettings): Promise<readonly QueueRef[]> {
  const queues: QueueRef[] = [];
  for (const topic of await subscribedTopics(messages, topicsOf(settings))) queues.push(...(await messages.queues(topic)));
  return queues;
}
