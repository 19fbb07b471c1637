// npm run test:compose: sets up, then has compose.yaml built, brought up, disturbed and taken down by a Docker engine.
import { setUp } from './setup.mjs';

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
}
await setUp();
const { composeCommand } = await import('../test/dist/compose/main.js');
try {
  process.exitCode = (await composeCommand(stopping.signal)) ? 0 : 1;
} catch (error) {
  console.error(error);
  console.log('compose: failed');
  process.exitCode = 1;
}
