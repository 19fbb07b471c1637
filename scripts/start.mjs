// npm start [-- --demo]: sets up, then runs a local cluster in the foreground.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';
import { lockStart, untilClusterLocks } from './start-lock.mjs';

const main = `${root}apps/cli/dist/main.js`;
const home = resolve(root, process.env.SLUICE_HOME ?? '.sluice');
const isBuiltForHelp = process.argv.includes('--help') && existsSync(main);
let release = () => {};

/** Waits for a local cluster that is stopping, and rejects beside one that runs: a build would replace the files that it runs. */
async function requireNoOther() {
  const onWait = (pid) => console.log(`The local cluster of process ${pid} is stopping: waiting for its end ...`);
  try {
    const { LocalLock } = await import(pathToFileURL(`${root}apps/cli/dist/local/local-lock.js`).href);
    const lock = await LocalLock.take(home, onWait, new AbortController().signal);
    await lock.release();
  } catch (error) {
    // A build that is missing or of another version says nothing: the command itself looks again once all is built.
    if (error?.cause?.code === 'CONNECT_LOCK_HELD') throw error;
  }
}

try {
  if (!isBuiltForHelp) {
    // Held until the cluster itself has a lock: of two that start at once, the second must not build under the first.
    release = await lockStart(root, home);
    await requireNoOther();
    await setUp();
  }
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const child = spawn(process.execPath, [main, 'local', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
untilClusterLocks(home, child).then(release);
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
