import { Role } from '@sluice/core';

/** What is known of a metric before it has a value. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Each takes a bounded number of values: ids of nodes and connectors, or a fixed list that `help` names. */
  readonly labels: readonly string[];
  /** One sentence with the unit. */
  readonly help: string;
  readonly roles: readonly Role[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

export const RUNNERS = [Role.sourceRunner, Role.sinkRunner] as const;
export const SOURCE = [Role.sourceRunner] as const;
export const SINK = [Role.sinkRunner] as const;
