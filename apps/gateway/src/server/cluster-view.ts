import { type ClusterState, type ReportsView } from '@sluice/core';
import { type ClusterReadModel } from '../ports/cluster-read-model.port.js';
import { ControlPlaneUnavailableError } from '../ports/control-plane-unavailable.error.js';

export type ViewHealth =
  { readonly kind: 'healthy' } | { readonly kind: 'starting' | 'unhealthy'; readonly reason: string };

/** The read model, refused while it could answer something that is not true any more. */
export class ClusterView {
  constructor(
    private readonly readModel: ClusterReadModel,
    private readonly options: { readonly maxStalenessMs: number },
  ) {}

  /** @throws ControlPlaneUnavailableError while the view is incomplete or too old. */
  now(): { readonly state: ClusterState; readonly reports: ReportsView } {
    const health = this.health();
    if (health.kind !== 'healthy') throw new ControlPlaneUnavailableError(health.reason);
    return { state: this.readModel.state(), reports: this.readModel.reports() };
  }

  health(): ViewHealth {
    if (!this.readModel.isCaughtUp()) {
      return { kind: 'starting', reason: 'The gateway is still reading the log of the cluster.' };
    }
    const ageMs = this.readModel.ageMs();
    const { maxStalenessMs } = this.options;
    if (ageMs <= maxStalenessMs) return { kind: 'healthy' };
    return {
      kind: 'unhealthy',
      reason: `The gateway last reached the head of the cluster's log ${Math.round(ageMs)} ms ago, allowed are ${maxStalenessMs} ms.`,
    };
  }

  /** The id of the cluster's log; empty before it was read. */
  get logId(): string {
    return this.readModel.state().logId;
  }
}
