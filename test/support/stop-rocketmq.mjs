import { rm } from 'node:fs/promises';

/** Ends the cluster that start-rocketmq.mjs started, and removes its data. Nothing is kept, so it need not end in order. */
export default async function stopRocketmq() {
  const cluster = globalThis.sluiceTestRocketmq;
  if (cluster === undefined) return;
  globalThis.sluiceTestRocketmq = undefined;
  await cluster.kill();
  await rm(cluster.dataDir, { recursive: true, force: true });
}
