import { describe, expect, it } from '@jest/globals';
import { metricNamesOf, metricSpecs } from './metric-definitions.js';
import type { MetricSpec } from './metric-spec.js';

const specs = Object.entries<MetricSpec>(metricSpecs);

describe('the list of metrics', () => {
  it.each(specs)('%s has a name that says its type and unit', (name, { type, help, labels, roles, buckets }) => {
    expect(name).toMatch(/^sluice_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/(milliseconds|_ms|kilobytes|_kb)/);
    expect(name.endsWith('_seconds')).toBe(/\bseconds\b/i.test(help));
    expect(help).toMatch(/^[A-Z1].*\.$/);
    expect(labels.every((label) => /^[a-z]+$/.test(label))).toBe(true);
    expect(roles.length).toBeGreaterThan(0);
    expect(buckets !== undefined).toBe(type === 'histogram');
  });

  it('has for each role those of the role only', () => {
    expect(metricNamesOf('gateway')).toContain('sluice_tasks_unassigned');
    expect(metricNamesOf('gateway')).not.toContain('sluice_connector_lag_messages');
    expect(metricNamesOf('sink-runner')).toContain('sluice_connector_lag_messages');
    expect(metricNamesOf('source-runner')).not.toContain('sluice_connector_lag_messages');
  });
});
