import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { metricSpecs } from '@sluice/node';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const files = [
  'docker/observability/alerts.yml',
  'docker/observability/grafana/dashboards/sluice.json',
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
    const found = [...text.matchAll(queried)];
    expect(found.length).toBeGreaterThan(0);
    const known: Readonly<Record<string, { readonly labels: readonly string[] }>> = metricSpecs;
    for (const [, name = '', labels = ''] of found) {
      expect(Object.keys(known)).toContain(name);
      for (const [, label = ''] of labels.matchAll(/(\w+)(?:=|!|,|$)/g)) expect(known[name]?.labels).toContain(label);
    }
  });
});
