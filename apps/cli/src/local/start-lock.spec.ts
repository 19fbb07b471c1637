import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const scripts = fileURLToPath(new URL('../../../../scripts', import.meta.url));

interface Start {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<unknown>;
}

describe('two `npm start` of one checkout', () => {
  let root: string;
  let starts: Start[];

  /** Makes a checkout whose build and whose cluster last until a file lets them end. */
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-start-'));
    starts = [];
    for (const script of ['start.mjs', 'setup.mjs', 'start-lock.mjs']) cpSync(join(scripts, script), join(root, 'scripts', script));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    write('package-lock.json', '{}');
    write('node_modules/.sluice-installed', createHash('sha256').update('{}').digest('hex'));
    write('node_modules/@typescript/native/bin/tsc', `require('node:fs').appendFileSync('builds', 'x');${untilFile('built')}`);
    const lock = `mkdirSync(home, { recursive: true });writeFileSync(home + '/local.lock', JSON.stringify({ pid: process.pid }));`;
    const cluster = `import { mkdirSync, writeFileSync, existsSync } from 'node:fs';const home = process.env.SLUICE_HOME;${lock}`;
    write('apps/cli/dist/main.js', `${cluster}console.log('cluster runs');${untilFile('done', 'existsSync')}`);
    write('package.json', '{ "type": "module" }');
    write('node_modules/package.json', '{ "type": "commonjs" }');
  });

  afterEach(async () => {
    for (const name of ['built', 'done']) writeFileSync(join(root, name), '');
    for (const { ended } of starts) await ended;
    rmSync(root, { recursive: true, force: true });
  });

  function untilFile(name: string, exists = `require('node:fs').existsSync`): string {
    return `const timer = setInterval(() => { if (${exists}(${JSON.stringify(join(root, name))})) clearInterval(timer); }, 20);`;
  }

  function start(home: string): Start {
    const env = { PATH: process.env['PATH'], SLUICE_HOME: join(root, home) };
    const child = spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], { cwd: root, env });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
    const started = { child, output: () => text, ended: once(child, 'close').then(() => child.exitCode) };
    starts.push(started);
    return started;
  }

  async function until(isTrue: () => boolean): Promise<void> {
    for (const end = performance.now() + 60_000; !isTrue() && performance.now() < end;) await delay(20);
    expect(isTrue()).toBe(true);
  }

  const builds = (): string => (existsSync(join(root, 'builds')) ? readFileSync(join(root, 'builds'), 'utf8') : '');

  it('refuses one of two that start in the same moment, before its build, and runs the other', async () => {
    const both = [start('home'), start('home')];
    await Promise.race(both.map(({ ended }) => ended));
    await until(() => builds() === 'x');
    const refused = both.find(({ child }) => child.exitCode !== null);
    const other = both.find((one) => one !== refused);
    expect(refused?.output()).toContain(`Process ${other?.child.pid} starts a local cluster in ${join(root, 'home')} now: stop it first`);
    expect(await refused?.ended).toBe(1);
    writeFileSync(join(root, 'built'), '');
    await until(() => other?.output().includes('cluster runs') === true);
    expect(builds()).toBe('x');
    writeFileSync(join(root, 'done'), '');
    expect(await other?.ended).toBe(0);
  });

  it('lets one for another state directory build once the first runs', async () => {
    const first = start('one');
    await until(() => builds() === 'x');
    const second = start('two');
    await until(() => second.output().includes(`Process ${first.child.pid} sets up for ${join(root, 'one')}: waiting for it`));
    expect(builds()).toBe('x');
    writeFileSync(join(root, 'built'), '');
    await until(() => second.output().includes('cluster runs'));
    expect(first.output()).toContain('cluster runs');
    expect(builds()).toBe('xx');
  });

  it('is no obstacle once the first was killed', async () => {
    const first = start('home');
    await until(() => builds() === 'x');
    const killed = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await killed;
    writeFileSync(join(root, 'built'), '');
    const second = start('home');
    await until(() => second.output().includes('cluster runs'));
  });
});
