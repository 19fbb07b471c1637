import { SinkStream } from '@sluice/replication';
import { isGroupMissing, type RocketMqClient } from '@sluice/rocketmq';
import {
  type FlushOptions,
  queueKey,
  type QueueRef,
  requireTaskConfig,
  RetriableError,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@sluice/sdk';
import { openCluster } from '../cluster/cluster-client.js';
import { requireCluster } from '../cluster/cluster-identity.js';
import { REQUEST_TIMEOUT_MS } from '../flow/flow-clusters.js';
import { linksIn, type QueueLink } from '../flow/queue-links.js';
import { lookGroupOf, sinkTaskSpec, SOURCE_IDENTITY_SETTING, TARGET_IDENTITY_SETTING } from '../flow/settings.js';
import { QueueStart } from '../source/queue-start.js';
import { CallPermit } from './call-permit.js';
import { MAX_BATCH_MESSAGES, QueueLane } from './queue-lane.js';
import { RecordCopier } from './record-copier.js';
import { TargetTail } from './target-tail.js';

/** How long a call of the runtime is good for, in milliseconds. */
const PERMIT_MS = 2_000;
/** How long `open` waits for queues of the target, in milliseconds. Others follow once they can be reached. */
const OPEN_WAIT_MS = 5_000;
/** What all queues of a task may hold, and each of them at least and at most, in bytes. */
const HELD_BYTES = 33_554_432;
const MIN_LANE_BYTES = 262_144;
const MAX_LANE_BYTES = 4_194_304;

/** Copies queues of the connector's data cluster into another cluster: each in order, by a lane of its own, and each message once. */
export class RocketMqSinkTask implements SinkTask {
  readonly #lanes = new Map<string, QueueLane>();
  readonly #closing = new AbortController();
  readonly #permit = new CallPermit(PERMIT_MS);
  #context: SinkTaskContext | undefined;
  #links: ReadonlyMap<string, QueueLink> = new Map();
  #source: RocketMqClient | undefined;
  #target: RocketMqClient | undefined;
  #makeLane: ((link: QueueLink) => QueueLane) | undefined;
  /** What recovers in the background. */
  readonly #late = new Set<Promise<void>>();

  async start(context: SinkTaskContext): Promise<void> {
    const settings = requireTaskConfig(context, sinkTaskSpec);
    const { config, connectorName, generation } = context;
    this.#context = context;
    const links = linksIn(config);
    this.#links = new Map(links.map((link) => [queueKey(link.source), link]));
    const source = (this.#source = openCluster('data.cluster.', config, { requestTimeoutMs: REQUEST_TIMEOUT_MS }));
    const target = (this.#target = openCluster('target.cluster.', config, { requestTimeoutMs: REQUEST_TIMEOUT_MS }));
    const [sourceId, targetId] = [settings[SOURCE_IDENTITY_SETTING], settings[TARGET_IDENTITY_SETTING]];
    await Promise.all([
      requireCluster(source, sourceId, { setting: 'data.cluster.url', signal: context.signal }),
      requireCluster(target, targetId, { setting: 'target.cluster.url', signal: context.signal }),
    ]);
    const group = lookGroupOf(connectorName);
    const copier = new RecordCopier({ source: sourceId, target: targetId, bornTime: settings['born.time'] });
    const maxHeldBytes = Math.min(MAX_LANE_BYTES, Math.max(MIN_LANE_BYTES, Math.floor(HELD_BYTES / Math.max(1, links.length))));
    const signal = this.#closing.signal;
    const warn = (text: string): void => {
      context.warn(text);
    };
    this.#makeLane = (link) => {
      const stream = new SinkStream({ connector: connectorName, cluster: sourceId, ...link });
      const tail = new TargetTail({
        client: target,
        group,
        queue: link.target,
        stream,
        generation,
        maxLate: MAX_BATCH_MESSAGES,
        report: warn,
        signal,
      });
      return new QueueLane(link, {
        client: target,
        stream,
        generation,
        copier,
        tail,
        startAt: ({ position }) =>
          new QueueStart({ client: source, group, queue: link.source, position, policy: settings['source.change.policy'], report: warn }),
        permit: this.#permit,
        maxHeldBytes,
        skipRecord: (record, error) => context.skipRecord(record, error),
        changed: (lane) => {
          this.#steer(lane);
        },
        warn,
        signal,
      });
    };
    await createGroup(
      source,
      group,
      links.map((link) => link.source),
      context.signal,
    );
  }

  async open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    this.#permit.note();
    const { context, makeLane } = this.#started();
    const unlinked = queues.filter((queue) => !this.#links.has(queueKey(queue)));
    if (unlinked.length > 0) {
      context.pause(unlinked);
      context.logger.info(
        `Not copied, or not yet: ${unlinked.slice(0, 3).map(queueKey).join(', ')}${unlinked.length > 3 ? ' and more' : ''}`,
      );
    }
    const answers: SinkPosition[] = [];
    const opening = queues.flatMap((queue) => {
      const link = this.#links.get(queueKey(queue));
      if (link === undefined) return [];
      const lane = makeLane(link);
      this.#lanes.set(lane.key, lane);
      return [{ lane, recovered: lane.recover() }];
    });
    const isTimely = await timely(
      opening.map(({ recovered }) => recovered),
      OPEN_WAIT_MS,
    );
    for (const [at, { lane, recovered }] of opening.entries()) {
      if (isTimely[at] !== true) {
        context.pause([lane.link.source]);
        this.#follow(lane, recovered);
        continue;
      }
      const position = await recovered;
      lane.throwFailure();
      if (position !== undefined) answers.push(position);
    }
    return answers;
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    this.#permit.note();
    this.#throwFailure();
    const lanes = this.#lanesOf(records);
    try {
      for (const record of records) lanes.get(record.queue)?.add(record);
    } finally {
      for (const lane of lanes.values()) lane.kick();
    }
    return Promise.resolve();
  }

  tick(): Promise<void> {
    this.#permit.note();
    this.#throwFailure();
    return Promise.resolve();
  }

  async flush(positions: readonly SinkPosition[], _signal: AbortSignal, { everything }: FlushOptions): Promise<readonly SinkPosition[]> {
    this.#permit.note();
    this.#throwFailure();
    return Promise.all(
      positions.map(async (position) => {
        const lane = this.#lanes.get(queueKey(position.queue));
        return lane === undefined ? position : lane.flush(position, everything);
      }),
    );
  }

  async close(queues: readonly QueueRef[]): Promise<void> {
    const closed = queues.flatMap((queue) => this.#lanes.get(queueKey(queue)) ?? []);
    await Promise.all(closed.map((lane) => lane.close()));
    for (const lane of closed) this.#lanes.delete(lane.key);
  }

  async stop(): Promise<void> {
    this.#closing.abort(new Error('The task stops'));
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    await Promise.all(this.#late);
    await Promise.all([this.#source?.close(), this.#target?.close()]);
  }

  /** Returns the lane of each queue. What a call takes it takes as a whole: it is made again with the same records. */
  #lanesOf(records: readonly SinkRecord[]): ReadonlyMap<QueueRef, QueueLane> {
    const lanes = new Map<QueueRef, QueueLane>();
    for (const { queue } of records) {
      if (lanes.has(queue)) continue;
      const lane = this.#lanes.get(queueKey(queue));
      if (lane?.isReady !== true) throw new RetriableError(`Queue ${queueKey(queue)} has no queue of the target yet`);
      lanes.set(queue, lane);
    }
    return lanes;
  }

  #started(): { readonly context: SinkTaskContext; readonly makeLane: (link: QueueLink) => QueueLane } {
    if (this.#context === undefined || this.#makeLane === undefined) throw new TypeError('The task has not started');
    return { context: this.#context, makeLane: this.#makeLane };
  }

  /** Has a queue read once it is known how far it is copied. */
  #follow(lane: QueueLane, recovered: Promise<SinkPosition | undefined>): void {
    const { context } = this.#started();
    const following = recovered.then((position) => {
      if (this.#closing.signal.aborted || this.#lanes.get(lane.key) !== lane || !lane.isReady) return;
      if (position !== undefined) {
        lane.awaitSeek();
        context.seek([position]);
      }
      context.resume([lane.link.source]);
    });
    this.#late.add(following);
    void following.finally(() => this.#late.delete(following));
  }

  /** Takes no more records of a queue that holds enough. */
  #steer(lane: QueueLane): void {
    const { context } = this.#started();
    if (this.#closing.signal.aborted || this.#lanes.get(lane.key) !== lane) return;
    if (lane.isFull) context.pause([lane.link.source]);
    else context.resume([lane.link.source]);
  }

  #throwFailure(): void {
    for (const lane of this.#lanes.values()) lane.throwFailure();
  }
}

/** Waits a limited time, and says which have resolved. */
async function timely(all: readonly Promise<unknown>[], limitMs: number): Promise<readonly boolean[]> {
  const done = all.map(() => false);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  const each = all.map(async (one, at) => {
    await one;
    done[at] = true;
  });
  try {
    await Promise.race([Promise.all(each), late]);
  } finally {
    clearTimeout(timer);
  }
  return [...done];
}

/** A broker refuses reads of a group that it does not know. */
async function createGroup(client: RocketMqClient, group: string, queues: readonly QueueRef[], signal: AbortSignal): Promise<void> {
  const [queue] = queues;
  if (queue === undefined) return;
  try {
    await client.consumer.pull({ queue, group, offset: 0, maxMessages: 1, signal });
  } catch (error) {
    if (isGroupMissing(error)) await client.admin.createGroup({ group, signal });
  }
}
