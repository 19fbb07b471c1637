import type { Expression, Matcher } from './promql.js';

export type Labels = Readonly<Record<string, string>>;

/** A series of samples at equal distances, the first at time 0; `undefined` where none was scraped, `stale` where the target no longer had it. */
export interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly values: readonly (number | 'stale' | undefined)[];
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** How old a sample may be that still counts, as Prometheus has it. */
const LOOKBACK_MS = 300_000;

/** Evaluates expressions over series as Prometheus does: https://prometheus.io/docs/prometheus/latest/querying/ */
export class PromQlEvaluator {
  constructor(
    private readonly series: readonly Series[],
    private readonly intervalMs: number,
  ) {}

  /** Throws an Error for what is a number, or a range, where a vector belongs. */
  vector(expression: Expression, nowMs: number): readonly Sample[] {
    switch (expression.kind) {
      case 'number':
        throw new Error('A number is no vector');
      case 'selector':
        if (expression.rangeMs !== undefined) throw new Error(`A range of ${expression.name} needs a function`);
        return this.#latest(expression, nowMs - (expression.offsetMs ?? 0));
      case 'call':
        return this.#call(expression, nowMs);
      case 'aggregation': {
        const groups = grouped(this.vector(expression.of, nowMs), expression.by);
        return groups.map(({ labels, samples }) => ({ labels, value: AGGREGATIONS[expression.name](samples.map(({ value }) => value)) }));
      }
      case 'binary':
        return this.#binary(expression, nowMs);
    }
  }

  #binary({ operator, left, right }: Expression & { readonly kind: 'binary' }, nowMs: number): readonly Sample[] {
    const samples = this.vector(left, nowMs);
    if (operator === 'and' || operator === 'unless' || operator === 'or') {
      const others = this.vector(right, nowMs);
      const keys = new Set((operator === 'or' ? samples : others).map(({ labels }) => keyOf(labels)));
      if (operator === 'or') return [...samples, ...others.filter(({ labels }) => !keys.has(keyOf(labels)))];
      return samples.filter(({ labels }) => keys.has(keyOf(labels)) === (operator === 'and'));
    }
    if (right.kind !== 'number') throw new Error('Only numbers are compared with');
    const limit = right.value;
    return samples.filter(({ value }) => (operator === '>' ? value > limit : operator === '<' ? value < limit : value === limit));
  }

  #call({ name, args }: Expression & { readonly kind: 'call' }, nowMs: number): readonly Sample[] {
    const [first, second] = args;
    if (name === 'histogram_quantile') {
      if (first?.kind !== 'number' || second === undefined) throw new Error('histogram_quantile takes a number and a vector');
      return quantiles(first.value, this.vector(second, nowMs));
    }
    if (first?.kind !== 'selector' || first.rangeMs === undefined || second !== undefined) throw new Error(`${name} takes one range`);
    const { rangeMs } = first;
    return this.#chosen(first.name, first.matchers).flatMap(({ labels, values }) => {
      const points = this.#pointsOf(values).filter(({ atMs }) => atMs >= nowMs - rangeMs && atMs <= nowMs);
      const value = OVER_RANGE[name](points, nowMs, rangeMs);
      return value === undefined ? [] : [{ labels, value }];
    });
  }

  #latest({ name, matchers }: Expression & { readonly kind: 'selector' }, nowMs: number): readonly Sample[] {
    return this.#chosen(name, matchers).flatMap(({ labels, values }) => {
      const from = Math.floor((nowMs - LOOKBACK_MS) / this.intervalMs) + 1;
      const last = values
        .slice(Math.max(0, from), Math.max(0, Math.floor(nowMs / this.intervalMs) + 1))
        .filter((value) => value !== undefined)
        .at(-1);
      return last === undefined || last === 'stale' ? [] : [{ labels, value: last }];
    });
  }

  #chosen(name: string, matchers: readonly Matcher[]): readonly Series[] {
    return this.series.filter((series) => series.name === name && matchers.every((matcher) => matches(matcher, series.labels)));
  }

  #pointsOf(values: Series['values']): readonly Point[] {
    return values.flatMap((value, index) => (typeof value !== 'number' ? [] : [{ atMs: index * this.intervalMs, value }]));
  }
}

const AGGREGATIONS = {
  sum: (values: readonly number[]) => values.reduce((all, each) => all + each, 0),
  max: (values: readonly number[]) => Math.max(...values),
  min: (values: readonly number[]) => Math.min(...values),
};

type OverRange = (points: readonly Point[], nowMs: number, rangeMs: number) => number | undefined;

const OVER_RANGE: Readonly<Record<'rate' | 'increase' | 'deriv' | 'min_over_time', OverRange>> = {
  increase,
  rate: (points, nowMs, rangeMs) => {
    const grown = increase(points, nowMs, rangeMs);
    return grown === undefined ? undefined : grown / (rangeMs / 1000);
  },
  /** By least squares. */
  deriv: (points) => {
    if (points.length < 2) return undefined;
    const n = points.length;
    const meanS = points.reduce((all, { atMs }) => all + atMs / 1000, 0) / n;
    const mean = points.reduce((all, { value }) => all + value, 0) / n;
    let [covariance, variance] = [0, 0];
    for (const { atMs, value } of points) {
      covariance += (atMs / 1000 - meanS) * (value - mean);
      variance += (atMs / 1000 - meanS) ** 2;
    }
    return covariance / variance;
  },
  min_over_time: (points) => (points.length === 0 ? undefined : Math.min(...points.map(({ value }) => value))),
};

/** Growth with resets of the counter, continued to the borders of the range where the series reaches about as far. */
function increase(points: readonly Point[], nowMs: number, rangeMs: number): number | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  let grown = last.value - first.value;
  for (const [index, { value }] of points.entries()) {
    const before = points[index - 1]?.value ?? 0;
    if (index > 0 && value < before) grown += before;
  }
  const sampledMs = last.atMs - first.atMs;
  const averageMs = sampledMs / (points.length - 1);
  let beforeMs = first.atMs - (nowMs - rangeMs);
  const afterMs = nowMs - last.atMs;
  if (grown > 0 && first.value >= 0) beforeMs = Math.min(beforeMs, sampledMs * (first.value / grown));
  const limitMs = averageMs * 1.1;
  const wholeMs = sampledMs + (beforeMs < limitMs ? beforeMs : averageMs / 2) + (afterMs < limitMs ? afterMs : averageMs / 2);
  return grown * (wholeMs / sampledMs);
}

/** Interpolates within the bucket that the quantile falls into. */
function quantiles(quantile: number, buckets: readonly Sample[]): readonly Sample[] {
  const names = [...new Set(buckets.flatMap(({ labels }) => Object.keys(labels)))].filter((name) => name !== 'le');
  return grouped(buckets, names).map(({ labels, samples }) => {
    const sorted = samples
      .map(({ labels: { le = '' }, value }) => ({ upper: le === '+Inf' ? Infinity : Number(le), value }))
      .sort((a, b) => a.upper - b.upper);
    const total = sorted.at(-1)?.value ?? 0;
    if (total === 0 || sorted.at(-1)?.upper !== Infinity) return { labels, value: NaN };
    const rank = quantile * total;
    const at = sorted.findIndex(({ value }) => value >= rank);
    if (at === sorted.length - 1) return { labels, value: sorted.at(-2)?.upper ?? NaN };
    const [lower, upper] = [sorted[at - 1] ?? { upper: 0, value: 0 }, sorted[at] ?? { upper: NaN, value: NaN }];
    return { labels, value: lower.upper + (upper.upper - lower.upper) * ((rank - lower.value) / (upper.value - lower.value)) };
  });
}

function grouped(
  samples: readonly Sample[],
  by: readonly string[],
): readonly { readonly labels: Labels; readonly samples: readonly Sample[] }[] {
  const groups = new Map<string, { readonly labels: Labels; readonly samples: Sample[] }>();
  for (const sample of samples) {
    const labels = Object.fromEntries(by.flatMap((name) => (sample.labels[name] === undefined ? [] : [[name, sample.labels[name]]])));
    const group = groups.get(keyOf(labels)) ?? { labels, samples: [] };
    groups.set(keyOf(labels), group);
    group.samples.push(sample);
  }
  return [...groups.values()];
}

function matches({ label, operator, value }: Matcher, labels: Labels): boolean {
  const found = labels[label] ?? '';
  const isMatch = operator === '=' || operator === '!=' ? found === value : new RegExp(`^(?:${value})$`, 'u').test(found);
  return operator.startsWith('!') ? !isMatch : isMatch;
}

export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
