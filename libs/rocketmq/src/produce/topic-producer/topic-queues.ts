import { backoffMs, type BackoffLimits } from '@sluice/time';
import { isRetriableRocketMqError } from '../../errors.js';
import { writableQueues, type TopicRoute } from '../../routing/topic-route.js';
import type { ClusterAccess } from '../../routing/cluster-access.js';
import { QueueChoice } from './queue-choice.js';

export type RouteSource = Pick<ClusterAccess, 'deadline'> & {
  readonly routes: Pick<ClusterAccess['routes'], 'cached' | 'route'>;
};

/**
 * The queues of a topic as its route changes: the writable ones, and for keys those of its order configuration if it has one.
 * While the route is missing or has no such queue, the last ones
 * stay: a broker that restarts is unavailable for a while.
 */
export class TopicQueues {
  #route: TopicRoute | undefined;
  #choice: QueueChoice | undefined;
  #brokers = new Set<string>();
  #isLoading = false;
  #failures = 0;
  #notBefore = -Infinity;

  constructor(
    private readonly topic: string,
    private readonly source: RouteSource,
    private readonly backoff: BackoffLimits,
    private readonly on: {
      /** A load ended: `refresh` has a new answer. */
      readonly loaded: () => void;
      /** There has never been a route, and asking again would not help. */
      readonly failed: (error: unknown) => void;
    },
  ) {}

  /** Undefined before the first route. */
  get choice(): QueueChoice | undefined {
    return this.#choice;
  }

  /** When a load that failed is due again; Infinity if none is. */
  get wakeAt(): number {
    return this.#failures > 0 ? this.#notBefore : Infinity;
  }

  /** Returns whether any route so far had the broker. */
  knowsBroker(brokerName: string): boolean {
    return this.#brokers.has(brokerName);
  }

  /**
   * Takes over what the route cache has, and starts a load where it has nothing.
   * @returns whether the queues changed
   */
  refresh(now: number): boolean {
    const route = this.source.routes.cached(this.topic);
    if (route === undefined) {
      this.#load(now);
      return false;
    }
    if (route === this.#route) return false;
    this.#route = route;
    for (const broker of route.brokers) this.#brokers.add(broker.brokerName);
    const ordered = route.orderedQueues ?? [];
    for (const { brokerName } of ordered) this.#brokers.add(brokerName);
    const queues = writableQueues(route);
    const choice = ordered.length === 0 ? new QueueChoice(queues) : new QueueChoice(queues, ordered);
    if (this.#choice !== undefined && (queues.length === 0 || this.#choice.isSame(choice))) return false;
    this.#choice = choice;
    return true;
  }

  #load(now: number): void {
    if (this.#isLoading || now < this.#notBefore) return;
    this.#isLoading = true;
    this.source.routes.route(this.topic, this.source.deadline(undefined)).then(
      () => {
        this.#ended(0);
      },
      (error: unknown) => {
        this.#ended(this.#failures + 1);
        // The name servers also forget the topic of a broker that restarts: an error ends nothing once there was a route.
        const mayCome = this.#route !== undefined || isRetriableRocketMqError(error);
        if (!mayCome) this.on.failed(error);
      },
    );
  }

  #ended(failures: number): void {
    this.#isLoading = false;
    this.#failures = failures;
    this.#notBefore = failures === 0 ? -Infinity : performance.now() + backoffMs(failures, this.backoff);
    this.on.loaded();
  }
}
