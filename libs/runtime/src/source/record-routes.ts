import type { ErrorStage } from '@sluice/protocol';
import { ConnectErrorCode, type ConnectRecord, type NamedQueue, type QueueRef, type SourceRecord } from '@sluice/sdk';
import type { PartitionState, RecordRoute } from './partition-state.js';
import type { PartitionTable } from './partition-table.js';
import type { PositionWriter } from './position-writer.js';
import { describeNamed, isQueueNamed, namedQueueProblem, ownQueueProblem } from './queue-keys.js';
import type { QueueLane } from './queue-lane.js';
import type { SourceLoopSpec } from './source-loop-options.js';

export interface RecordRoutesOptions {
  readonly spec: Pick<SourceLoopSpec, 'queueKeys' | 'isRaw'>;
  readonly partitions: PartitionTable;
  readonly writer: Pick<PositionWriter, 'markDirty'>;
}

/** Why a record has no way. */
export class RouteProblem {
  constructor(
    readonly reason: unknown,
    readonly code: ConnectErrorCode,
    readonly stage: ErrorStage = 'ROCKETMQ_PRODUCE',
  ) {}
}

/** Finds the way of each record to a queue. */
export class RecordRoutes {
  /** Names a queue that was looked for and is not there. */
  #lost: SourceRecord | undefined;

  constructor(private readonly options: RecordRoutesOptions) {}

  /** Notes that the queue which a record names is not there. */
  noteLost(record: SourceRecord | undefined): void {
    this.#lost = record;
  }

  /**
   * Returns the way of a record, or a queue that has to be looked for; `undefined` where its topic's queues have to be looked up.
   * @throws PartitionQueueError where raw records of a partition name two queues
   */
  routeFor(state: PartitionState, record: SourceRecord, outcome: ConnectRecord): RecordRoute | QueueRef | RouteProblem | undefined {
    const { queueKeys, isRaw } = this.options.spec;
    const { topic, rocketmq } = outcome;
    if (isRaw === true) return this.#ownRoute(state, topic, rocketmq?.queue);
    if (rocketmq?.queue !== undefined) return this.#namedRoute(state, record, topic, rocketmq.queue);
    if (queueKeys === undefined) return state.sameRoute(topic) ?? this.#routeOf(state, topic);
    let bytes: Uint8Array | undefined;
    try {
      bytes = queueKeys.bytesOf(outcome);
    } catch (error) {
      const stage = queueKeys.by.kind === 'header' ? 'HEADER_CONVERTER' : 'KEY_CONVERTER';
      return new RouteProblem(error, ConnectErrorCode.conversionFailed, stage);
    }
    const route = this.options.partitions.keyedRoute(state, topic, bytes ?? state.streamBytes);
    if (route !== undefined && !state.areRoutesStored) this.options.writer.markDirty(state);
    return route;
  }

  /** As {@link routeFor}, of a raw record, which names the only queue of its partition. Nobody looks whether that is there: it is waited for. */
  #ownRoute(state: PartitionState, topic: string, named: NamedQueue | undefined): RecordRoute | RouteProblem {
    const known = state.sameRoute(topic);
    if (known !== undefined && isQueueNamed(known.lane.queue, named)) return known;
    const problem = ownQueueProblem(named);
    if (problem !== undefined || typeof named !== 'object') return new RouteProblem(new Error(problem), ConnectErrorCode.recordInvalid);
    const { brokerName, queueId } = named;
    return this.#kept(state, topic, this.options.partitions.ownRoute(state, { topic, brokerName, queueId }));
  }

  /** As {@link routeFor}, of a record that names its queue. */
  #namedRoute(
    state: PartitionState,
    record: SourceRecord,
    topic: string,
    named: NamedQueue,
  ): RecordRoute | QueueRef | RouteProblem | undefined {
    const { partitions, writer, spec } = this.options;
    const problem = namedQueueProblem(named, spec.queueKeys?.by);
    if (problem !== undefined) return new RouteProblem(new Error(problem), ConnectErrorCode.recordInvalid);
    const route = partitions.namedRoute(state, topic, named);
    if (route !== undefined) {
      if (!state.areRoutesStored) writer.markDirty(state);
      return route;
    }
    const known = partitions.keyedQueues(topic);
    if (known === undefined) return undefined;
    if (typeof named !== 'number' && this.#lost !== record) return { topic, brokerName: named.brokerName, queueId: named.queueId };
    // It may come back with its broker: the task restarts where the record is not left out.
    const reason = new Error(
      `it names queue ${describeNamed(named)}; the topic had ${known.length} queue(s) when the task began, and has no such one now`,
    );
    return new RouteProblem(reason, ConnectErrorCode.unavailable);
  }

  #routeOf(state: PartitionState, topic: string): RecordRoute | undefined {
    let lane = state.routeTo(topic);
    if (lane === undefined) {
      const queues = this.options.partitions.queuesOf(topic);
      if (queues === undefined) return undefined;
      lane = this.options.partitions.chooseRoute(state, queues);
      if (lane === undefined) return undefined;
    }
    return this.#kept(state, topic, lane);
  }

  #kept(state: PartitionState, topic: string, lane: QueueLane): RecordRoute {
    // Before the first record the store has to know the route, and to whom the partition belongs now.
    if (!state.areRoutesStored) this.options.writer.markDirty(state);
    const route = { topic, lane, stampPrefix: this.options.partitions.stampPrefixOf(state, lane) };
    state.keepRoute(route);
    return route;
  }
}
