export const HEALTH_CHECKS = Symbol('health checks');

/** One reason why a node may not be ready. */
export interface ReadinessCheck {
  readonly name: string;
  /** Returns details to show, or throws an error that says what is wrong. */
  readonly check: () => Readonly<Record<string, string | number>> | Promise<Readonly<Record<string, string | number>>>;
}
