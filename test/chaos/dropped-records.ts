import { parsePrometheusText } from '../support/prometheus-text.js';
import type { SluiceCluster } from '../support/sluice-cluster.js';

const REPEATED = ['older_generation', 'repeated_seq'];

/** Returns how many records the tasks of a sink left out as repeated, as the metrics of the sink runners that live say. */
export async function droppedBy(cluster: SluiceCluster, connector: string): Promise<number> {
  const { nodes } = (await cluster.request('GET', '/cluster')).body as { nodes: { id: string; http?: string; state: string }[] };
  const sinks = nodes.filter(({ id, state }) => state === 'live' && id.includes('sink-runner'));
  const scrapes = await Promise.all(
    sinks.map(async ({ http }) => parsePrometheusText(await (await fetch(`http://${http ?? ''}/metrics`)).text())),
  );
  return scrapes
    .flatMap(({ samples }) => samples)
    .filter(({ name, labels }) => name === 'sluice_connector_records_dropped_total' && labels['connector'] === connector)
    .filter(({ labels }) => REPEATED.includes(labels['reason'] ?? ''))
    .reduce((sum, { value }) => sum + value, 0);
}
