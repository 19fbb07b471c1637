import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clusterStatus } from '@sluice/embedded-rocketmq';
import { until } from '../../support/sluice-cluster.js';

const LIMIT_MS = 300_000;
const BUILT = fileURLToPath(new URL('../../../libs/embedded-rocketmq/dist/index.js', import.meta.url));

/** Starts a cluster, pauses its broker, reports that, and stays. */
const PROGRAM = `
const { freePorts, startCluster } = await import(${JSON.stringify(BUILT)});
const cluster = await startCluster({
  name: 'orphan', version: '4.9.7', dataDir: process.argv[1], ports: await freePorts(), startTimeoutMs: ${LIMIT_MS},
});
await cluster.brokers[0].pause();
console.log(JSON.stringify(cluster.pids));
setInterval(() => {}, 1000);
`;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the processes of a cluster', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-orphan-'));
  });

  afterEach(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  it(
    'end when the one that started them is killed, a paused one too',
    async () => {
      const starter = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: starter.stdout });
      const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(LIMIT_MS) })) as [string];
      const { namesrv, broker } = JSON.parse(line) as { namesrv: number; broker: number };
      expect([namesrv, broker].map(isThere)).toEqual([true, true]);
      starter.kill('SIGKILL');
      await until('both have ended', () => !isThere(namesrv) && !isThere(broker), 120_000);
      await expect(clusterStatus(dataDir)).resolves.toMatchObject({ condition: { kind: 'down' } });
    },
    LIMIT_MS,
  );
});
