import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { keyOf, type Labels, PromQlEvaluator, type Series } from './promql-evaluation.js';
import { type Expression, parsePromQl } from './promql.js';

/** How often rules are evaluated and targets scraped, in milliseconds. */
export const STEP_MS = 15_000;

export interface AlertRule {
  readonly alert: string;
  readonly text: string;
  readonly expression: Expression;
  readonly forMs: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

interface RulesFile {
  readonly groups: readonly { readonly rules: readonly Readonly<Record<string, unknown>>[] }[];
}

const KEYS = new Set(['alert', 'expr', 'for', 'labels', 'annotations']);

/** Reads a file of alert rules. Throws at a key that nobody here knows. */
export async function readAlertRules(file: string): Promise<readonly AlertRule[]> {
  const { groups } = parse(await readFile(file, 'utf8')) as RulesFile;
  return groups.flatMap(({ rules }) =>
    rules.map((rule) => {
      const unknown = Object.keys(rule).filter((key) => !KEYS.has(key));
      if (unknown.length > 0) throw new Error(`Alert rules with ${unknown.join(', ')} are not tested`);
      const { alert, expr, for: duration = '0s', labels, annotations } = rule as Readonly<Record<string, string>>;
      return {
        alert: alert ?? '',
        text: expr ?? '',
        expression: parsePromQl(expr ?? ''),
        forMs: durationMs(duration),
        labels: labels as unknown as Labels,
        annotations: annotations as unknown as Labels,
      };
    }),
  );
}

/** Evaluates a rule up to a time, and returns the labels of its alerts that fire then, without the rule's own. */
export function firingAt({ expression, forMs }: AlertRule, series: readonly Series[], atMs: number): readonly Labels[] {
  const evaluator = new PromQlEvaluator(series, STEP_MS);
  let active = new Map<string, { readonly labels: Labels; readonly sinceMs: number }>();
  for (let nowMs = 0; nowMs <= atMs; nowMs += STEP_MS) {
    const before = active;
    active = new Map(
      evaluator.vector(expression, nowMs).map(({ labels }) => {
        const key = keyOf(labels);
        return [key, before.get(key) ?? { labels, sinceMs: nowMs }];
      }),
    );
  }
  return [...active.values()].filter(({ sinceMs }) => atMs - sinceMs >= forMs).map(({ labels }) => labels);
}

/** Fills the labels of an alert into a text of its rule. Throws where the alert does not have a label that the text names. */
export function textOf(template: string, labels: Labels): string {
  return template.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => {
    const value = labels[name];
    if (value === undefined) throw new Error(`"${template}" names the label ${name}, which the alert does not have`);
    return value;
  });
}

/** Reads series in the notation of `promtool test rules`: `3`, `_`, `stale`, `5x4` for 5 samples, and `0+2x4`, which begin with the first number. */
export function seriesOf(selector: string, values: string): Series {
  const parsed = parsePromQl(selector);
  if (parsed.kind !== 'selector') throw new Error(`no selector: ${selector}`);
  const labels = Object.fromEntries(parsed.matchers.map(({ label, value }) => [label, value]));
  return { name: parsed.name, labels, values: values.split(' ').flatMap(valuesOf) };
}

function valuesOf(text: string): Series['values'] {
  if (text === '_') return [undefined];
  if (text === 'stale') return ['stale'];
  const match = /^(-?[\d.]+)(?:([+-][\d.]+)?x(\d+))?$/.exec(text);
  if (match === null) throw new Error(`no values: ${text}`);
  const [, first, step = '0', count = '0'] = match;
  return Array.from({ length: Number(count) + 1 }, (_, at) => Number(first) + Number(step) * at);
}

function durationMs(text: string): number {
  const [, count, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ''];
  if (unitMs === undefined) throw new Error(`no duration: ${text}`);
  return Number(count) * unitMs;
}
