import { expect } from '@jest/globals';
import type { Scrape } from './prometheus-text.js';

const DURATION = 'sluice_task_operation_duration_seconds';

/** Of one connector, over all its tasks and the runners that were scraped. */
export interface OperationTimes {
  /** How many of an operation were measured. */
  readonly count: (operation: string) => number;
  /** A counter or gauge of its tasks. */
  readonly total: (metric: string) => number;
}

/** Checks each histogram of a connector's tasks: its buckets add up, and its sum lies in the bounds that they give. */
export function operationTimesOf(scrapes: readonly Scrape[], connector: string): OperationTimes {
  const samples = scrapes.flatMap((scrape) => scrape.samples).filter(({ labels }) => labels['connector'] === connector);
  const total = (name: string, operation?: string): number =>
    samples
      .filter((sample) => sample.name === name && (operation === undefined || sample.labels['operation'] === operation))
      .reduce((sum, { value }) => sum + value, 0);
  for (const { labels, value: count } of samples.filter(({ name }) => name === `${DURATION}_count`)) {
    const isSame = (others: Readonly<Record<string, string>>): boolean =>
      ['task', 'operation'].every((label) => others[label] === labels[label]);
    const buckets = samples.filter((sample) => sample.name === `${DURATION}_bucket` && isSame(sample.labels));
    const sum = samples.find((sample) => sample.name === `${DURATION}_sum` && isSame(sample.labels))?.value ?? NaN;
    expect(buckets.map((bucket) => Number(bucket.labels['le']?.replace('+Inf', 'Infinity')))).toEqual([
      0.001,
      0.005,
      0.02,
      0.1,
      0.5,
      2,
      10,
      60,
      Infinity,
    ]);
    expect(buckets.at(-1)?.value).toBe(count);
    let [least, most, below, lower] = [0, 0, 0, 0];
    for (const { labels: ofBucket, value } of buckets) {
      const upper = Number(ofBucket['le']?.replace('+Inf', 'Infinity'));
      const here = value - below;
      expect(here).toBeGreaterThanOrEqual(0);
      least += here * lower;
      if (here > 0) most += here * upper;
      [below, lower] = [value, upper];
    }
    expect(sum).toBeGreaterThanOrEqual(least);
    expect(sum).toBeLessThanOrEqual(most);
    expect(sum > 0).toBe(count > 0);
  }
  return { count: (operation) => total(`${DURATION}_count`, operation), total };
}
