import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * One RocketMQ cluster for all integration specs, unless SLUICE_TEST_NAMESRV names one that runs already (SLUICE_TEST_GRPC
 * says where its proxy is, 127.0.0.1:8081 by default).
 */
export default async function startRocketmq() {
  if (process.env.SLUICE_TEST_NAMESRV) {
    process.env.SLUICE_TEST_GRPC ??= '127.0.0.1:8081';
    return;
  }
  const { freePorts, startCluster } = await import('@sluice/embedded-rocketmq').catch((cause) => {
    throw new Error('integration specs start RocketMQ with the built @sluice/embedded-rocketmq: run `npm run build` first', { cause });
  });
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-test-rocketmq-'));
  // Jest does not run its teardown then. RocketMQ ends with this process.
  process.once('SIGTERM', () => {
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(143);
  });
  try {
    const cluster = await startCluster({
      name: 'test',
      ports: await freePorts(),
      dataDir,
      onProgress: (line) => console.error(`[rocketmq] ${line}`),
    });
    process.env.SLUICE_TEST_NAMESRV = cluster.namesrv;
    process.env.SLUICE_TEST_GRPC = cluster.grpc;
    globalThis.sluiceTestRocketmq = cluster;
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}
