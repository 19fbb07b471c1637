import { queueKey, requireConfig, type TaskConfig, type TaskLogger } from '@sluice/sdk';
import { pause } from '@sluice/time';
import type { FlowClusters } from '../flow/flow-clusters.js';
import type { InstancePart, InstancePartContext } from '../instance/instance-part.js';
import { forEachOf } from './for-each-of.js';
import { membershipOf, messageOf } from './group-offsets.js';
import { planOffsets, type OffsetPlan, type OffsetRow } from './plan-offsets.js';
import { QueueLinks } from './queue-link.js';
import { offsetSyncSpec } from './settings.js';

const WRITES_AT_A_TIME = 4;
/** Lines about groups that one round logs; more are counted. */
const MAX_LINES = 50;

/** What one round has done. */
export interface OffsetRound extends OffsetPlan {
  readonly written: number;
  /** Not written, because somebody had moved the offset, or had joined the group, since the look. */
  readonly moved: number;
}

/** Gives the consumer groups of the source their offsets at the target, every few seconds. */
export class OffsetSync implements InstancePart {
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #lastRound: OffsetRound | undefined;
  #told: ReadonlySet<string> = new Set();

  /** @param takesGroups returns, for the connector's settings, which groups it takes */
  constructor(private readonly takesGroups: (config: TaskConfig) => (group: string) => boolean) {}

  /** What the last round has found and done; undefined before the first one. */
  get lastRound(): OffsetRound | undefined {
    return this.#lastRound;
  }

  start(context: InstancePartContext, clusters: FlowClusters): Promise<void> {
    const { config, connectorName, logger } = context.connector;
    const settings = requireConfig(`Configuration of connector ${connectorName}`, offsetSyncSpec, config, { unknownKeys: 'ignore' });
    if (!settings['sync.offsets']) return Promise.resolve();
    const signal = AbortSignal.any([context.signal, this.#closing.signal]);
    const links = new QueueLinks({ clusters, connectorName, reverseConnector: settings['sync.offsets.reverse.connector'] });
    const takesGroup = this.takesGroups(config);
    const others = settings['sync.offsets.others'];
    const round = async (): Promise<void> => {
      const plan = await planOffsets({ clusters, links, queues: context.queues(), takesGroup, others, signal });
      const outcome = await applyPlan(plan, clusters, signal);
      this.#lastRound = { ...plan, ...outcome, problems: [...plan.problems, ...outcome.problems] };
      this.#tell(this.#lastRound, logger);
    };
    this.#running = this.#run(round, settings['sync.offsets.interval.ms'], logger, signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#closing.abort(new Error('The instance stops'));
    await this.#running;
  }

  async #run(round: () => Promise<void>, intervalMs: number, logger: TaskLogger, signal: AbortSignal): Promise<void> {
    let problem: string | undefined;
    const isStopped = (): boolean => signal.aborted;
    while (!isStopped()) {
      try {
        await round();
        problem = undefined;
      } catch (error) {
        const found = messageOf(error);
        if (!isStopped() && found !== problem) logger.warn(`The offsets of groups could not be translated, which is tried again: ${found}`);
        problem = found;
      }
      await pause(intervalMs, signal);
    }
  }

  /** Logs what was not there in the last round. Numbers in what is there still may change: that is no news. */
  #tell({ notes, problems }: OffsetPlan, logger: TaskLogger): void {
    const lines = new Map(problems.map((problem) => [problem, `Not done for offsets of groups: ${problem}`]));
    for (const { group, queue, kind, note } of notes) {
      lines.set(`${group} ${queue ?? ''} ${kind}`, `Group ${group}${queue === undefined ? '' : `, ${queue}`}: ${note}`);
    }
    const fresh = [...lines].filter(([key]) => !this.#told.has(key)).map(([, line]) => line);
    for (const line of fresh.slice(0, MAX_LINES)) logger.info(line);
    if (fresh.length > MAX_LINES) logger.info(`${fresh.length - MAX_LINES} more line(s) about offsets of groups are left out`);
    this.#told = new Set(lines.keys());
  }
}

/**
 * Writes the offsets that a plan says. Looks again right before each write: one that somebody has moved since stays, and one of a group that has got
 * members. Brokers compare nothing themselves, so a consumer that begins between look and write may consume again what it had committed in that time.
 */
export async function applyPlan(
  { rows }: Pick<OffsetPlan, 'rows'>,
  clusters: FlowClusters,
  signal: AbortSignal,
): Promise<Pick<OffsetRound, 'written' | 'moved' | 'problems'>> {
  let [written, moved] = [0, 0];
  const problems: string[] = [];
  const due = rows.filter(({ action }) => action === 'write');
  await forEachOf(byGroup(due), WRITES_AT_A_TIME, async ([group, ofGroup]) => {
    const { client } = clusters.target;
    const { activity } = await membershipOf(client, group, signal);
    for (const { target, targetOffset, translation } of ofGroup) {
      if (translation.kind !== 'translated') continue;
      try {
        if (activity !== 'inactive' || (await client.admin.queryOffset(group, target, { signal })) !== targetOffset) {
          moved += 1;
          continue;
        }
        await client.admin.updateOffset(group, target, translation.offset, { signal });
        written += 1;
      } catch (error) {
        signal.throwIfAborted();
        problems.push(`group ${group}, offset ${translation.offset} of ${queueKey(target)}: ${messageOf(error)}`);
      }
    }
  });
  return { written, moved, problems };
}

function byGroup(rows: readonly OffsetRow[]): ReadonlyMap<string, readonly OffsetRow[]> {
  const groups = new Map<string, OffsetRow[]>();
  for (const row of rows) {
    const known = groups.get(row.group);
    if (known === undefined) groups.set(row.group, [row]);
    else known.push(row);
  }
  return groups;
}
