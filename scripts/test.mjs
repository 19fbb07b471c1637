// npm test: sets up, then runs every test, two at a time: unit, integration on a real RocketMQ, end to end with real processes.
import { root, run, setUp } from './setup.mjs';

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  `${root}node_modules/jest/bin/jest.js`,
];
try {
  await setUp();
  await run(process.execPath, [...jest, '--maxWorkers=2', ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exit(typeof error.code === 'number' ? error.code : 1);
}
