import type { MetricSpec } from '@sluice/node';
import { type Expression, groupingsIn, type Matcher, selectorsIn } from './promql.js';

/** Labels that Prometheus gives to everything that it scrapes. */
const TARGET_LABELS = ['instance', 'job'];

/** Returns what a query asks for and no node has: metrics, labels, and values of labels that the help of the metric does not name. */
export function queryProblems(expression: Expression, specs: Readonly<Record<string, MetricSpec>>): readonly string[] {
  const problems: string[] = [];
  for (const { name, matchers } of selectorsIn(expression)) {
    const known = labelsOf(name, specs);
    if (known === undefined) problems.push(`there is no metric ${name}`);
    for (const matcher of matchers) if (known !== undefined) problems.push(...matcherProblems(name, known, matcher, specs));
  }
  for (const { by, of } of groupingsIn(expression)) {
    for (const { name } of selectorsIn(of)) {
      const known = labelsOf(name, specs) ?? [];
      for (const label of by) if (!known.includes(label)) problems.push(`${name} has no label ${label} to group by`);
    }
  }
  return problems;
}

function matcherProblems(
  name: string,
  known: readonly string[],
  { label, operator, value }: Matcher,
  specs: Readonly<Record<string, MetricSpec>>,
): readonly string[] {
  if (!known.includes(label)) return [`${name} has no label ${label}`];
  if (!['state', 'reason', 'operation', 'stage', 'role', 'result', 'outcome', 'call'].includes(label)) return [];
  const help = specs[baseOf(name)]?.help ?? '';
  const values = operator === '=~' || operator === '!~' ? value.split('|') : [value];
  return values
    .filter((each) => !new RegExp(`(?<![\\w-])${each}(?![\\w-])`, 'u').test(help))
    .map((each) => `${name} has no ${label} ${each}, as far as its help says`);
}

function labelsOf(name: string, specs: Readonly<Record<string, MetricSpec>>): readonly string[] | undefined {
  // What Prometheus itself writes, and what the library counts of each process.
  if (name === 'up' || /^(process|nodejs)_/.test(name)) return TARGET_LABELS;
  const spec = specs[name];
  if (spec !== undefined) return spec.type === 'histogram' ? undefined : [...spec.labels, ...TARGET_LABELS];
  const base = specs[baseOf(name)];
  if (base?.type !== 'histogram') return undefined;
  return [...base.labels, ...TARGET_LABELS, ...(name.endsWith('_bucket') ? ['le'] : [])];
}

function baseOf(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}
