// npm test: sets up, then runs every test, three files at a time: unit, integration on a real RocketMQ, end to end with real processes.
import { countJavaStarts } from './java-starts.mjs';
import { root, run, setUp } from './setup.mjs';

const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', `${root}node_modules/jest/bin/jest.js`];
/** Beyond the two processors that CI has: spec files that start processes wait for them half of their time. */
const WORKERS = 3;
let stopCounting = () => undefined;
try {
  await setUp();
  stopCounting = countJavaStarts();
  await run(process.execPath, [...jest, `--maxWorkers=${WORKERS}`, ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exitCode = typeof error.code === 'number' ? error.code : 1;
} finally {
  stopCounting();
}
