import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { olderVersions } from './broker-features.js';
import { describeClient } from './client-contract.js';
import { describeJavaInterop } from './java-interop-contract.js';

const LIMIT_MS = 300_000;

describe.each(olderVersions)('on RocketMQ %s', (version) => {
  let dataDir: string;
  let cluster: RunningCluster;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-older-version-'));
    cluster = await startCluster({
      name: 'older',
      version,
      dataDir,
      ports: await freePorts(),
      startTimeoutMs: LIMIT_MS,
    });
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.kill();
    await rm(dataDir, { recursive: true, force: true });
  }, LIMIT_MS);

  describeClient({ version, namesrv: () => cluster.namesrv });
  describeJavaInterop({ version, namesrv: () => cluster.namesrv });
});
