import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeReports, type Verdict } from '@sluice/connector-verify';
import { repositoryRoot, until, type SluiceCluster } from './sluice-cluster.js';

interface CreateRequest {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

/** `undefined` leaves a setting of the example out. */
type Settings = Readonly<Record<string, string | undefined>>;

const example = (path: string): CreateRequest =>
  JSON.parse(readFileSync(join(repositoryRoot, 'libs/connectors', path), 'utf8')) as CreateRequest;

/** Numbered records of the generator through a topic into the verifier: the connectors `<name>-in` and `<name>-out`. */
export class VerifiedFlow {
  private constructor(
    private readonly cluster: SluiceCluster,
    readonly name: string,
    readonly seed: number,
    /** How many records each source partition has. */
    readonly ofPartitions: readonly number[],
    /** Of the verifier's reports. */
    private readonly folder: string,
  ) {}

  /** Posts the examples of both connectors, changed as said, with a folder of reports of their own. */
  static async start(
    cluster: SluiceCluster,
    { name, seed, ofPartitions }: { readonly name: string; readonly seed: number; readonly ofPartitions: number[] },
    source: Settings,
    sink: Settings = {},
  ): Promise<VerifiedFlow> {
    const folder = cluster.path(`${name}-reports`);
    mkdirSync(folder);
    const flow = new VerifiedFlow(cluster, name, seed, ofPartitions, folder);
    const verifier = example('verify/examples/verify-a-load.json').config;
    const generator = example('datagen/examples/full-speed.json').config;
    const shape = { topic: cluster.topic(name), seed: String(seed), partitions: String(ofPartitions.length) };
    await flow.#post('out', { ...verifier, topics: cluster.topic(name), 'report.dir': folder, ...sink });
    await flow.#post('in', { ...generator, ...shape, records: String(flow.records), ...source });
    return flow;
  }

  get records(): number {
    return this.ofPartitions.reduce((sum, count) => sum + count, 0);
  }

  /** The verdict of what was verified up to now. */
  verdict(): Promise<Verdict> {
    return mergeReports(this.folder, { seed: this.seed, ofPartitions: this.ofPartitions });
  }

  /** The verdict as soon as at least `count` records are verified. */
  async until(count: number, timeoutMs = 90_000): Promise<Verdict> {
    let verdict = await this.verdict();
    return until(
      `${count} records are verified`,
      async () => {
        verdict = await this.verdict();
        return verdict.records >= count ? verdict : undefined;
      },
      timeoutMs,
      () =>
        `${JSON.stringify({ ...verdict, examples: [] })}\n` +
        this.cluster.roles.map((role) => `--- ${role.id}\n${role.log.slice(-1500)}`).join('\n'),
    );
  }

  /** Lets a flow end with that many records over all partitions, more than any has made. @throws Error when the change is refused */
  async endAt(records: number): Promise<VerifiedFlow> {
    const answer = await this.cluster.request('PATCH', `/connectors/${this.name}-in/config`, {
      records: String(records),
    });
    if (answer.status !== 200) throw new Error(`${this.name}-in is not changed: ${JSON.stringify(answer)}`);
    const partitions = this.ofPartitions.length;
    const ofPartitions = this.ofPartitions.map((_, partition) => Math.ceil((records - partition) / partitions));
    return new VerifiedFlow(this.cluster, this.name, this.seed, ofPartitions, this.folder);
  }

  async #post(suffix: string, config: Settings): Promise<void> {
    const answer = await this.cluster.request('POST', '/connectors', { name: `${this.name}-${suffix}`, config });
    if (answer.status !== 201) throw new Error(`${this.name}-${suffix} is refused: ${JSON.stringify(answer)}`);
  }
}

/** What a verdict says when every record came once, in order and whole; `keys` as the source's setting. */
export function cleanVerdict({ seed, records, ofPartitions }: VerifiedFlow, keys = 100): object {
  return {
    examples: [],
    complete: true,
    clean: true,
    records,
    missing: 0,
    duplicates: 0,
    outOfOrder: 0,
    damaged: 0,
    keys: { count: keys, missing: 0, duplicates: 0, outOfOrder: 0 },
    partitions: ofPartitions.map((count, partition) => ({
      seed,
      partition,
      records: count,
      first: 0,
      last: count - 1,
    })),
  };
}
