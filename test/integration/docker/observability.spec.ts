import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { metricSpecs, type MetricSpec } from '@sluice/node';
import { queryProblems } from '../../support/metric-queries.js';
import { groupingsIn, parsePromQl } from '../../support/promql.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const specs: Readonly<Record<string, MetricSpec>> = metricSpecs;
const files = [
  'docs/operations/kubernetes.md',
  'docs/operations/metrics.md',
  'kubernetes/autoscaling/sink-runner.yaml',
  'kubernetes/autoscaling/source-runner.yaml',
  'kubernetes/keda/sink-runner.yaml',
  'kubernetes/keda/source-runner.yaml',
];

/** `sluice_tasks{state="FAILED"}`, `sluice_tasks`, `sum by (reason) (…)`: metrics with the labels that a query asks for. */
const queried = /\b(sluice_[a-z_]+)(?:\{([^}]*)\})?/g;

describe('queries of metrics', () => {
  it.each(files)('%s asks for metrics and labels that the roles have', async (file) => {
    const text = (await readFile(join(root, file), 'utf8')).replaceAll('\\"', '"');
    const found = [...text.matchAll(queried)].filter(([, name]) => name?.endsWith('_') === false);
    expect(found.length).toBeGreaterThan(0);
    for (const [, name = '', labels = ''] of found) {
      const spec = specs[name] ?? specs[name.replace(/_(bucket|sum|count)$/, '')];
      expect([name, spec !== undefined]).toEqual([name, true]);
      for (const [, label = ''] of labels.matchAll(/(\w+)(?:=|!|,|$)/g)) expect(spec?.labels).toContain(label);
    }
  });
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('the dashboard', () => {
  const file = join(root, 'docker/observability/grafana/dashboards/sluice.json');
  const read = async (): Promise<readonly Panel[]> =>
    (JSON.parse(await readFile(file, 'utf8')) as { readonly panels: readonly Panel[] }).panels;

  it('asks in each panel for metrics, labels and values that exist, and names only labels that the query leaves', async () => {
    const panels = await read();
    expect(panels.length).toBeGreaterThan(20);
    for (const { title, targets } of panels) {
      expect([title, targets.length > 0]).toEqual([title, true]);
      for (const { expr, legendFormat } of targets) {
        const expression = parsePromQl(expr);
        expect([title, queryProblems(expression, specs)]).toEqual([title, []]);
        const [outer] = groupingsIn(expression);
        const labels = outer?.by ?? ['instance', 'job'];
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect([title, labels]).toEqual([title, expect.arrayContaining([label])]);
      }
    }
  });

  it('shows what tasks do: each operation, errors by stage, lag, buffers, commits, calls and dead letters', async () => {
    const text = (await read()).flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
    for (const operation of ['poll', 'convert', 'send', 'put', 'flush', 'commit']) expect(text).toContain(`operation="${operation}"`);
    for (const metric of ['errors_total', 'lag_messages', 'buffer_fill_ratio', 'commit_age_seconds', 'open_call_seconds']) {
      expect(text).toContain(`sluice_task_${metric}`);
    }
    expect(text).toContain('sluice_connector_dead_letters_total');
  });

  it('has panels with numbers of their own that cover none other', async () => {
    const panels = await read();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});
