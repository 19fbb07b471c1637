import type { ConnectorContext } from '@sluice/sdk';
import type { FlowClusters } from '../flow/flow-clusters.js';

/** What an instance gives its parts. The plan and the map change while it runs: ask again each time they are used. */
export interface InstancePartContext {
  readonly connector: ConnectorContext;
  /** Target names by source name, of the topics that the flow takes, as of the last look at the source. */
  topics(): ReadonlyMap<string, string>;
  /** Queues of the target by queues of the source, both as `topic@broker:queue`; those that are agreed upon, and no others. */
  queues(): ReadonlyMap<string, string>;
  /** Aborted when the part is to stop, also while `start` runs. */
  readonly signal: AbortSignal;
}

/**
 * Does one thing beside the tasks of a flow, for the connector's instance.
 *
 * The instance calls `start`, then `stop`, once each. Several parts start one after the other and share both clients.
 */
export interface InstancePart {
  /**
   * Begins, and resolves once the part runs. What passes by itself, such as a cluster that does not answer, is retried inside. An error ends
   * the instance, which the runtime starts again, or which fails for good where the error is not retriable.
   */
  start(context: InstancePartContext, clusters: FlowClusters): Promise<void>;
  /** Ends everything that the part does. Called always, also after an error in `start`. */
  stop(): Promise<void>;
}
