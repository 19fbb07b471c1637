import { until, type SluiceCluster } from '../support/sluice-cluster.js';
import { VerifiedFlow } from '../support/verified-flow.js';
import type { Pipeline } from './observations.js';

export interface LoadOptions {
  /** How the names of topics and connectors begin. */
  readonly name: string;
  /** Of each there are two connectors, a source and a sink, with one task each. */
  readonly pipelines: number;
  readonly recordsPerSecond: number;
  /** How long the observation may wait for idle processors before it begins. Beside other specs they are never idle. */
  readonly calmLimitMs?: number;
}

/** What a busy machine needs for a start is no finding, in milliseconds. */
const START_LIMIT_MS = 240_000;
/** More than any run makes: a call ends the load. */
const ENDLESS_SECONDS = 86_400;
/** The sources still make this much after the end: more than comes before they hear of it. */
const LAST_SECONDS = 8;

/** Numbered records at a steady rate through topics of one queue each, so that every pause of a task is a gap of its queue. */
export class Load {
  private constructor(
    private readonly flows: readonly VerifiedFlow[],
    private readonly recordsPerSecond: number,
  ) {}

  /** Resolves when all connectors are accepted and records arrive at every sink. */
  static async start(cluster: SluiceCluster, options: LoadOptions): Promise<Load> {
    const { name, pipelines, recordsPerSecond } = options;
    const ofPartitions = [Math.ceil(recordsPerSecond * ENDLESS_SECONDS)];
    const flows = await Promise.all(
      Array.from({ length: pipelines }, (_, index) =>
        VerifiedFlow.start(
          cluster,
          { name: `${name}-${index + 1}`, seed: index + 1, ofPartitions },
          { 'tasks.max': '1', 'topic.creation.default.partitions': '1', rate: String(recordsPerSecond) },
          { 'tasks.max': '1', 'offset.flush.interval.ms': '1000' },
        ),
      ),
    );
    await Promise.all(flows.map((flow) => flow.until(recordsPerSecond, START_LIMIT_MS)));
    return new Load(flows, recordsPerSecond);
  }

  /** Sets an end to the numbers, and returns what every pipeline had once the last one has arrived, or after the time given. */
  async finish(timeoutMs: number): Promise<readonly Pipeline[]> {
    return Promise.all(
      this.flows.map(async (flow) => {
        const { records } = await flow.verdict();
        const last = records + Math.ceil(this.recordsPerSecond * LAST_SECONDS);
        // Faults of the last moments may still be felt.
        const ending = await until(`${flow.name} ends`, () => flow.endAt(last).catch(() => undefined), timeoutMs);
        const verdict = await ending.until(ending.records, timeoutMs).catch(() => ending.verdict());
        return { source: `${flow.name}-in`, sink: `${flow.name}-out`, verdict };
      }),
    );
  }
}
