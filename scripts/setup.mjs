// Brings a fresh checkout to the point where it runs: dependencies as locked, then the build. Uses nothing but Node.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const stamp = `${root}node_modules/.sluice-installed`;

/** Runs a command with its output shown; rejects when it fails. Passes SIGTERM on: a supervisor sends it to this process alone. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const passOn = () => child.kill('SIGTERM');
    process.on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', passOn);
      if (code === 0) resolve();
      else reject(Object.assign(new Error(`${command} ${args.join(' ')} ended with ${signal ?? `code ${code}`}`), { code }));
    });
  });
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 12)) {
    console.error(`Sluice needs Node 20.12 or newer; this is Node ${process.versions.node}`);
    process.exit(1);
  }
}

/** Installs the locked dependencies, unless exactly they are there, and builds what changed. */
export async function setUp() {
  requireNode();
  const lock = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    console.log('Installing dependencies (once, about half a minute) ...');
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(stamp, lock);
  }
  console.log('Building ...');
  await run(process.execPath, [`${root}node_modules/@typescript/native/bin/tsc`, '-b']);
}
