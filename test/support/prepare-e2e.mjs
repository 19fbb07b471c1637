import { bundleRoles } from '../../scripts/role-bundles.mjs';
import startRocketmq from './start-rocketmq.mjs';

/** End-to-end specs run the roles as their images do, beside a RocketMQ that they share with the integration specs. */
export default async function prepareE2e() {
  globalThis.removeRoleBundles = await bundleRoles();
  await startRocketmq();
}
