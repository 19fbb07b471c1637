import { afterAll, beforeAll, describe } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { describeBrokerOutage } from './broker-outage.js';
import { describeGrowingTopic } from './growing-topic.js';
import { describeSourceMoves } from './source-moves.js';

describe('with two brokers', () => {
  let directory: string;
  let rocketmq: RunningCluster;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-two-brokers-'));
    rocketmq = await startCluster({
      name: 'two-brokers',
      topology: { brokers: [{ name: 'broker-a' }, { name: 'broker-b' }], proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      dataDir: directory,
      ports: await freePorts(),
    });
  }, 300_000);
  afterAll(async () => {
    await (rocketmq as RunningCluster | undefined)?.kill();
    rmSync(directory, { recursive: true, force: true });
  }, 120_000);

  // In an order in which a broker that one of them leaves stopped is the one that the next starts.
  describeBrokerOutage(() => rocketmq);
  describeSourceMoves(() => rocketmq);
  describeGrowingTopic(() => rocketmq);
});
