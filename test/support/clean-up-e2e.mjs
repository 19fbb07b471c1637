import stopRocketmq from './stop-rocketmq.mjs';

export default async function cleanUpE2e() {
  await stopRocketmq();
  await globalThis.removeRoleBundles?.();
}
