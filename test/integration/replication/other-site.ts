import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';

/** The cluster at the other end of a flow: it has the name that the one has which all specs share. */
export class OtherSite {
  private constructor(
    /** Removed at the end: for what a spec writes beside the cluster's data. */
    readonly directory: string,
    readonly cluster: RunningCluster,
  ) {}

  /** @param brokers their names; one with a name of its own by default */
  static async start(brokers?: readonly string[]): Promise<OtherSite> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-site-'));
    const cluster = await startCluster({
      name: 'test',
      ports: await freePorts(),
      dataDir: join(directory, 'data'),
      topology: { ...(brokers === undefined ? {} : { brokers: brokers.map((name) => ({ name })) }), proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: 200_000,
    });
    return new OtherSite(directory, cluster);
  }

  async close(): Promise<void> {
    await this.cluster.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
