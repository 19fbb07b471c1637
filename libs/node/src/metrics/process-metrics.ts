import { collectDefaultMetrics, Registry } from 'prom-client';

export interface ProcessMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** The metrics of the process that every role has beside its own: memory, CPU, event loop, garbage collection. */
export async function processMetrics(): Promise<readonly ProcessMetric[]> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const metrics = await register.getMetricsAsJSON();
  return metrics.map(({ name, type, help }) => ({ name, type: String(type), help }));
}
