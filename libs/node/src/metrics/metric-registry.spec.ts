import { describe, expect, it } from '@jest/globals';
import { MetricRegistry } from './metric-registry.js';
import { metricNamesOf } from './metric-definitions.js';

const linesOf = async (metrics: MetricRegistry, name: string): Promise<readonly string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(name));

describe('the registry of metrics', () => {
  it('reads values at each scrape: what is gone is not shown any more', async () => {
    const metrics = new MetricRegistry('gateway');
    const members = new Map([
      ['gateway', 1],
      ['coordinator', 3],
    ]);
    metrics.collect('sluice_members', () => [...members].map(([role, value]) => ({ labels: { role }, value })));
    expect(await linesOf(metrics, 'sluice_members')).toEqual(['sluice_members{role="gateway"} 1', 'sluice_members{role="coordinator"} 3']);
    members.delete('coordinator');
    expect(await linesOf(metrics, 'sluice_members')).toEqual(['sluice_members{role="gateway"} 1']);
  });

  it('shows a counter as it is, not what it grew by', async () => {
    const metrics = new MetricRegistry('gateway');
    let count = 2;
    metrics.collectOne('sluice_leader_changes_total', () => count);
    await metrics.text();
    count = 5;
    expect(await linesOf(metrics, 'sluice_leader_changes_total')).toEqual(['sluice_leader_changes_total 5']);
  });

  it('has the metrics of the process, and names of connectors as they are', async () => {
    const metrics = new MetricRegistry('gateway');
    metrics.collect('sluice_tasks', () => [{ labels: { connector: 'a "b"\\\n', role: 'sink-runner', state: 'RUNNING' }, value: 1 }]);
    expect(await linesOf(metrics, 'sluice_tasks')).toEqual([
      'sluice_tasks{connector="a \\"b\\"\\\\\\n",role="sink-runner",state="RUNNING"} 1',
    ]);
    expect(await linesOf(metrics, 'process_resident_memory_bytes')).toHaveLength(1);
  });

  it('knows which metrics of the role have no source', () => {
    const metrics = new MetricRegistry('coordinator');
    expect(metrics.missing).toEqual(metricNamesOf('coordinator'));
    metrics.collectOne('sluice_coordinator_leads', () => 1);
    expect(metrics.missing).not.toContain('sluice_coordinator_leads');
  });

  it('refuses a metric of another role, and one that has a source', () => {
    const metrics = new MetricRegistry('gateway');
    expect(() => {
      metrics.collectOne('sluice_coordinator_leads', () => 1);
    }).toThrow('Metric sluice_coordinator_leads is none of a gateway');
    metrics.collectOne('sluice_log_seq', () => 1);
    expect(() => {
      metrics.collectOne('sluice_log_seq', () => 1);
    }).toThrow('Metric sluice_log_seq is registered already');
  });
});
