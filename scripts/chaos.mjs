// npm run chaos [-- options]: sets up, then has things happen to real processes beside a RocketMQ of their own.
import { setUp } from './setup.mjs';

await setUp();
const { chaosCommand } = await import('../test/dist/chaos/main.js');
process.exitCode = (await chaosCommand(process.argv.slice(2))) ? 0 : 1;
