// npm test: sets up, then runs every test, two at a time: unit, integration on a real RocketMQ, end to end with real processes.
import { countJavaStarts } from './java-starts.mjs';
import { root, run, setUp } from './setup.mjs';

const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', `${root}node_modules/jest/bin/jest.js`];
let stopCounting = () => undefined;
try {
  await setUp();
  stopCounting = countJavaStarts();
  await run(process.execPath, [...jest, '--maxWorkers=2', ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exitCode = typeof error.code === 'number' ? error.code : 1;
} finally {
  stopCounting();
}
