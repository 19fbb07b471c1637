/** One line of a scrape. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a target answered to a scrape. */
export interface Scrape {
  /** By the name of the metric. */
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  readonly samples: readonly ScrapedSample[];
}

const SAMPLE_LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const LABEL_PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/** Reads the text format of Prometheus, version 0.0.4. Throws at a line that is none of it. */
export function parsePrometheusText(text: string): Scrape {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples: ScrapedSample[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, about, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (about !== undefined && rest !== undefined) {
      (keyword === 'HELP' ? helps : types).set(about, rest);
      continue;
    }
    const [, name, labels, value] = SAMPLE_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no line of a scrape: ${line}`);
    samples.push({ name, labels: labelsOf(labels ?? ''), value: Number(value) });
  }
  return { types, helps, samples };
}

/** The name of the metric that a sample belongs to: those of histograms and summaries have endings of their own. */
export function metricOf({ types }: Scrape, { name }: ScrapedSample): string {
  if (types.has(name)) return name;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  if (!types.has(base)) throw new Error(`sample ${name} has no type`);
  return base;
}

/** The only sample with these labels, and maybe others; undefined where there is none. */
export function valueOf({ samples }: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name}`);
  return found[0]?.value;
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(LABEL_PAIR)];
  if (pairs.map(([pair]) => pair).join('') !== text) throw new Error(`no labels of a scrape: ${text}`);
  return Object.fromEntries(
    pairs.map(([, name, value]) => [name, value?.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))]),
  ) as Record<string, string>;
}
