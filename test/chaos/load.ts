import type { SluiceCluster } from '../support/sluice-cluster.js';
import { VerifiedFlow } from '../support/verified-flow.js';
import type { Pipeline } from './observations.js';

export interface LoadOptions {
  /** How the names of topics and connectors begin. */
  readonly name: string;
  /** Of each there are two connectors, a source and a sink, with one task each. */
  readonly pipelines: number;
  readonly recordsPerSecond: number;
  /** Records are enough for this time; what stops the flow makes it last longer. */
  readonly durationMs: number;
}

/** Numbered records at a steady rate through topics of one queue each, so that every pause of a task is a gap of its queue. */
export class Load {
  private constructor(private readonly flows: readonly VerifiedFlow[]) {}

  /** Resolves when all connectors are accepted and records arrive at every sink. */
  static async start(cluster: SluiceCluster, options: LoadOptions): Promise<Load> {
    const { name, pipelines, recordsPerSecond, durationMs } = options;
    const records = Math.ceil((recordsPerSecond * durationMs) / 1000);
    const flows = await Promise.all(
      Array.from({ length: pipelines }, (_, index) =>
        VerifiedFlow.start(
          cluster,
          { name: `${name}-${String(index + 1)}`, seed: index + 1, ofPartitions: [records] },
          { 'tasks.max': '1', 'topic.creation.default.partitions': '1', rate: String(recordsPerSecond) },
          { 'tasks.max': '1', 'offset.flush.interval.ms': '1000' },
        ),
      ),
    );
    await Promise.all(flows.map((flow) => flow.until(recordsPerSecond)));
    return new Load(flows);
  }

  /** What every pipeline had in the end, once nothing more is to come. */
  async finish(timeoutMs: number): Promise<readonly Pipeline[]> {
    return Promise.all(
      this.flows.map(async (flow) => {
        const verdict = await flow.until(flow.records, timeoutMs).catch(() => flow.verdict());
        return { source: `${flow.name}-in`, sink: `${flow.name}-out`, verdict };
      }),
    );
  }
}
