import type { Role } from '@sluice/core';
import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { metricNamesOf, metricSpecs, type MetricName } from './metric-definitions.js';
import type { MetricSpec } from './metric-spec.js';

type NameOfType<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof metricSpecs)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** Metrics whose values are read at a scrape. */
export type CollectedName = NameOfType<'counter' | 'gauge'>;
/** Metrics whose values are counted in buckets. */
export type HistogramName = NameOfType<'histogram'>;

/** What a histogram holds for one set of labels. */
export interface HistogramSample<Name extends HistogramName> {
  readonly labels: LabelsOf<Name>;
  /** For each of the metric's buckets, and for what is above all, how many are in it alone. */
  readonly counts: readonly number[];
  readonly sum: number;
}

type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof metricSpecs)[Name]['labels'][number], string>>;

/** One value of a metric; its labels where it has some. */
export interface Sample<Name extends MetricName> {
  readonly value: number;
  readonly labels: LabelsOf<Name>;
}

/** The metrics of one node, as its role has them. A scrape reads what others count anyway: between scrapes nothing is done. */
export class MetricRegistry {
  readonly #registry = new Registry();
  readonly #registered = new Set<MetricName>();

  constructor(private readonly role: Role) {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * Says where the samples of a metric come from. They are read at each scrape, at once and without waiting for anybody.
   *
   * @throws Error for a metric that the role does not have, or that is registered already.
   */
  collect<Name extends CollectedName>(name: Name, read: () => Iterable<Sample<Name>>): void {
    this.#claim(name);
    const { type, labels, help } = metricSpecs[name];
    const options = { name, help, labelNames: [...labels] as string[], registers: [this.#registry] };
    if (type === 'counter') {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const { labels: values, value } of read()) this.inc(values, value);
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          for (const { labels: values, value } of read()) this.set(values, value);
        },
      });
    }
  }

  /** The same for a metric without labels. */
  collectOne(name: UnlabelledName, read: () => number): void {
    this.collect(name, () => [{ labels: {}, value: read() }]);
  }

  /** A histogram, to be given what it has to hold. @throws Error as {@link collect} */
  histogram<Name extends HistogramName>(name: Name): { observe(labels: LabelsOf<Name>, value: number): void } {
    this.#claim(name);
    const { help, labels, buckets } = metricSpecs[name];
    return new Histogram({
      name,
      help,
      labelNames: [...labels] as string[],
      buckets: [...buckets],
      registers: [this.#registry],
    });
  }

  /** Says where the samples of a histogram come from that others count, as {@link collect}. @throws Error as {@link collect} */
  collectHistogram<Name extends HistogramName>(name: Name, read: () => Iterable<HistogramSample<Name>>): void {
    this.#claim(name);
    const { help, buckets } = metricSpecs[name];
    const histogram = {
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      get: () => ({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: [...read()].flatMap((each) => linesOf(name, buckets, each)),
      }),
    };
    // A histogram of the library takes single values only. The registry needs no more of a metric than this.
    this.#registry.registerMetric(histogram as unknown as Metric);
  }

  /** Metrics of the role that nobody registered. */
  get missing(): readonly MetricName[] {
    return metricNamesOf(this.role).filter((name) => !this.#registered.has(name));
  }

  /** All metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #claim(name: MetricName): void {
    const { roles } = metricSpecs[name] as MetricSpec;
    if (!roles.includes(this.role)) throw new Error(`Metric ${name} is none of a ${this.role}`);
    if (this.#registered.has(name)) throw new Error(`Metric ${name} is registered already`);
    this.#registered.add(name);
  }
}

type UnlabelledName = {
  [Name in CollectedName]: (typeof metricSpecs)[Name]['labels'] extends readonly [] ? Name : never;
}[CollectedName];

interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function linesOf<Name extends HistogramName>(
  name: Name,
  buckets: readonly number[],
  { labels, counts, sum }: HistogramSample<Name>,
): readonly Line[] {
  let count = 0;
  const lines = [...buckets.map(String), '+Inf'].map((le, at): Line => {
    count += counts[at] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [...lines, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count }];
}
