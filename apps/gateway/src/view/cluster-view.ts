import type { ClusterState, ReportsView } from '@sluice/core';
import { type ClusterReadModel, ControlPlaneUnavailableError } from '../ports/gateway-ports.js';

/** Silence of the leader after which commands are refused, in milliseconds: well over the lease within which another one takes over. */
const LEADERLESS_AFTER_MS = 10_000;
/** Age of the view at which the gateway has lost the log, in milliseconds: it proves its contact once a second. */
const CONTACT_LOST_AFTER_MS = 5_000;

export type ViewHealth = { readonly kind: 'healthy' } | { readonly kind: 'starting' | 'unhealthy'; readonly reason: string };

export interface View {
  readonly state: ClusterState;
  readonly reports: ReportsView;
}

export interface Leaderless {
  /** When a leader was last heard of, or this gateway began to listen; milliseconds since the epoch. */
  readonly since: number;
  /** One sentence. */
  readonly reason: string;
}

export interface LostContact {
  /** When the head of the log was last known to be reached, milliseconds since the epoch. */
  readonly since: number;
  /** Names the cause as far as the gateway knows it, and where to look. */
  readonly message: string;
}

/** Gives the read model, and refuses it while it could answer something that is not true any more. */
export class ClusterView {
  constructor(
    private readonly readModel: ClusterReadModel,
    private readonly options: { readonly maxStalenessMs: number },
  ) {}

  /** Gives the current view. @throws ControlPlaneUnavailableError while it is incomplete or too old. */
  now(): View {
    const health = this.health();
    if (health.kind !== 'healthy') throw new ControlPlaneUnavailableError(health.reason);
    return this.#read();
  }

  /** Gives the view of any age, for answers that show the age too. @throws ControlPlaneUnavailableError while it is incomplete. */
  latest(): View {
    const health = this.health();
    if (health.kind === 'starting') throw new ControlPlaneUnavailableError(health.reason);
    return this.#read();
  }

  /** Milliseconds since the head of the log was last known to be reached. */
  get ageMs(): number {
    return Math.round(this.readModel.ageMs());
  }

  /** Wall clock at which a leader was last heard of, or this gateway began to listen; milliseconds since the epoch. */
  get leaderHeardAt(): number {
    return Math.round(Date.now() - this.readModel.leaderSilentMs());
  }

  health(): ViewHealth {
    if (!this.readModel.isCaughtUp()) {
      return { kind: 'starting', reason: 'The gateway is still reading the log of the cluster.' };
    }
    const ageMs = this.readModel.ageMs();
    const { maxStalenessMs } = this.options;
    if (ageMs <= maxStalenessMs) return { kind: 'healthy' };
    return { kind: 'unhealthy', reason: this.#lostContact().message };
  }

  /** States since when the gateway has no contact to the cluster's log; undefined while it has. */
  lostContact(): LostContact | undefined {
    return this.readModel.isCaughtUp() && this.readModel.ageMs() > CONTACT_LOST_AFTER_MS ? this.#lostContact() : undefined;
  }

  #lostContact(): LostContact {
    // A process that never reached the head has an infinite age.
    const since = Math.round(Date.now() - Math.min(this.readModel.ageMs(), performance.now()));
    const cause = 'RocketMQ is unavailable, or the gateway cannot reach it';
    return {
      since,
      message: `The gateway has had no contact to the cluster's log since ${new Date(since).toISOString()}: ${cause}. /health/ready says why.`,
    };
  }

  /** States why commands are refused; undefined while a coordinator leads, as far as this gateway can tell. */
  leaderless(): Leaderless | undefined {
    if (this.readModel.leaderSilentMs() <= LEADERLESS_AFTER_MS) return undefined;
    const since = this.leaderHeardAt;
    const last = this.readModel.state().leader?.nodeId;
    const lost = this.lostContact();
    if (lost !== undefined) return { since: lost.since, reason: lost.message };
    const silence = `since ${new Date(since).toISOString()}`;
    const whom = last === undefined ? 'none ever led' : `${last}, the last one, was not heard of ${silence}`;
    return { since, reason: `No coordinator leads: ${whom}.` };
  }

  /** The id of the cluster's log; empty before it was read. */
  get logId(): string {
    return this.readModel.state().logId;
  }

  #read(): View {
    return { state: this.readModel.state(), reports: this.readModel.reports() };
  }
}
