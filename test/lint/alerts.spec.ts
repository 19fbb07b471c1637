import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { metricSpecs, type MetricSpec } from '@sluice/node';
import { type AlertRule, firingAt, readAlertRules, seriesOf, STEP_MS, textOf } from '../support/alert-rules.js';
import { keyOf, type Labels, type Series } from '../support/promql-evaluation.js';
import { queryProblems } from '../support/metric-queries.js';
import { ALERT_CASES, type AlertCase } from './alert-cases.js';

const file = fileURLToPath(new URL('../../docker/observability/alerts.yml', import.meta.url));
const rules = await readAlertRules(file);
const cases = ALERT_CASES.map((each) => [each.alert, each.when, each] as const);
const specs: Readonly<Record<string, MetricSpec>> = metricSpecs;

function ruleOf(name: string): AlertRule {
  const rule = rules.find(({ alert }) => alert === name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
}

const allSeries = (series: AlertCase['series']): readonly Series[] =>
  Object.entries(series).map(([selector, values]) => seriesOf(selector, values));
const sorted = (all: readonly Labels[]): readonly string[] => all.map(keyOf).sort();

describe('alert rules', () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s has a case in which it fires, and one in which it does not', (alert) => {
    const own = ALERT_CASES.filter((each) => each.alert === alert);
    expect(own.map(({ fires }) => fires.length > 0).sort()).toEqual(expect.arrayContaining([false, true]));
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks for metrics, labels and values that exist', (_, rule) => {
    expect(queryProblems(rule.expression, specs)).toEqual([]);
    expect(rule.labels['severity']).toMatch(/^(critical|warning)$/);
  });

  it.each(rules.filter(({ forMs }) => forMs > 0).map((rule) => [rule.alert, rule] as const))(
    '%s has a case that its duration alone keeps quiet',
    (alert, rule) => {
      const quiet = ALERT_CASES.filter((each) => each.alert === alert && each.fires.length === 0);
      const firing = quiet.filter(
        ({ series, atMinutes }) => firingAt({ ...rule, forMs: 0 }, allSeries(series), atMinutes * 60_000).length > 0,
      );
      expect(firing).not.toEqual([]);
    },
  );

  it('have one name each', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it.each(cases)('%s: %s', (alert, _, { series, atMinutes, fires }) => {
    const rule = ruleOf(alert);
    const firing = firingAt(rule, allSeries(series), atMinutes * 60_000);
    expect(sorted(firing)).toEqual(sorted(fires));
    for (const labels of firing) expect(textOf(rule.annotations['summary'] ?? '', labels)).not.toMatch(/[{}$]|undefined/);
  });

  const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
  (hasPromtool ? it : it.skip)('fire in the same cases under promtool, where that is installed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-alerts-'));
    try {
      const tests = join(folder, 'tests.json');
      // JSON is YAML too.
      await writeFile(tests, JSON.stringify({ rule_files: [file], evaluation_interval: '15s', tests: ALERT_CASES.map(promtoolCase) }));
      const checked = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
      expect([checked.status, checked.stderr]).toEqual([0, '']);
      const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', tests], { encoding: 'utf8' });
      expect(`${stdout}${stderr}`).toContain('SUCCESS');
      expect(status).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function promtoolCase({ alert, when, series, atMinutes, fires }: AlertCase): object {
  const { labels, annotations } = ruleOf(alert);
  return {
    name: `${alert}: ${when}`,
    interval: `${STEP_MS / 1000}s`,
    input_series: Object.entries(series).map(([selector, values]) => ({ series: selector, values })),
    alert_rule_test: [
      {
        eval_time: `${atMinutes * 60}s`,
        alertname: alert,
        exp_alerts: fires.map((own) => ({
          exp_labels: { ...labels, ...own },
          exp_annotations: { summary: textOf(annotations['summary'] ?? '', own) },
        })),
      },
    ],
  };
}
