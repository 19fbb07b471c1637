// npm start [-- --demo]: sets up, then runs a local cluster in the foreground.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { root, setUp } from './setup.mjs';

const main = `${root}apps/cli/dist/main.js`;
const isBuiltForHelp = process.argv.includes('--help') && existsSync(main);
try {
  if (!isBuiltForHelp) await setUp();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const child = spawn(process.execPath, [main, 'local', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the whole group, the child included; a supervisor sends SIGTERM to this process alone.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
// npm runs this through a shell that dies of SIGTERM without passing it on: the loss of the parent means the same.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  child.kill('SIGTERM');
}, 500);
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
