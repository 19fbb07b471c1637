// npm run test:scenarios [-- --rewrite]: plays the coordinator's scenarios; with --rewrite it writes their effects as the code has them now.
import { run, root } from './setup.mjs';

const args = process.argv.slice(2);
const others = args.filter((arg) => arg !== '--rewrite');
if (others.length > 0) {
  console.error(`${others.join(' ')} given; allowed is --rewrite`);
  process.exit(2);
}
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', `${root}node_modules/jest/bin/jest.js`];
const env = { ...process.env, SLUICE_REWRITE_SCENARIOS: args.includes('--rewrite') ? '1' : '' };
try {
  await run(process.execPath, [...jest, 'coordinator/scenarios.spec', '--selectProjects', 'unit'], { env });
} catch (error) {
  process.exitCode = error.code ?? 1;
}
