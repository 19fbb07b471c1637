// npm run chaos [-- options]: sets up, then has things happen to real processes beside a RocketMQ of their own.
import { bundleRoles } from './role-bundles.mjs';
import { setUp } from './setup.mjs';

await setUp();
const removeBundles = await bundleRoles();
const { chaosCommand } = await import('../test/dist/chaos/main.js');
try {
  process.exitCode = (await chaosCommand(process.argv.slice(2))) ? 0 : 1;
} finally {
  await removeBundles();
}
