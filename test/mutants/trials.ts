import { spawn } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const runSeedsPath = fileURLToPath(new URL('run-seeds.mjs', import.meta.url));
/** What a faulty mutation looks like, rather than a broken rule. */
const BROKEN_CODE = /SyntaxError|ReferenceError|TypeError/;

/** What `run-seeds.mjs` prints. */
type SeedsOutcome = { readonly seed: number; readonly wrong: readonly string[] } | { readonly survived: number };

export interface SeedFailure {
  readonly seed: number;
  /** What the simulation says is wrong. */
  readonly wrong: string;
}

export interface SeedRange {
  /** The highest; the lowest is 1. */
  readonly seeds: number;
  /** The one to begin with. */
  readonly first?: number | undefined;
}

/**
 * Runs seeds of the simulation in a folder of built sources, up to the one that fails.
 *
 * @returns that seed; undefined if all pass.
 * @throws Error where the code itself does not run.
 */
export async function failedSeed(folder: string, { seeds, first }: SeedRange, signal: AbortSignal): Promise<SeedFailure | undefined> {
  const order = [seeds, ...(first === undefined ? [] : [first])].map(String);
  const { exitCode, stdout, stderr } = await run([runSeedsPath, folder, ...order], folder, signal);
  if (exitCode !== 0) throw new Error(`The simulation in ${folder} ended with ${String(exitCode)}: ${stderr}`);
  const outcome = JSON.parse(stdout) as SeedsOutcome;
  if ('survived' in outcome) return undefined;
  const wrong = outcome.wrong[0] ?? 'it failed';
  if (BROKEN_CODE.test(wrong)) throw new Error(`The code in ${folder} does not run: ${wrong}`);
  return { seed: outcome.seed, wrong };
}

/** The part of Jest's JSON report that is read here. */
interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Runs built specs below `root`.
 *
 * @param paths absolute paths of the specs.
 * @returns the names of the tests that failed, by path.
 * @throws Error where a spec cannot be run.
 */
export async function failedTests(
  root: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'), 'dir');
  await writeFile(join(root, 'package.json'), JSON.stringify({ type: 'module' }));
  const report = join(root, 'report.json');
  const testEnvironment = join(repository, 'test/support/plain-environment.mjs');
  const config = { rootDir: root, testEnvironment, transform: {}, testRegex: '\\.spec\\.js$' };
  const jest = join(repository, 'node_modules/jest/bin/jest.js');
  const options = ['--config', JSON.stringify(config), '--json', '--outputFile', report, '--runInBand', '--silent'];
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const { stderr } = await run([...node, jest, ...options, '--runTestsByPath', ...paths], root, signal);
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`Jest left no report: ${stderr}`);
  const { testResults } = JSON.parse(text) as JestReport;
  const failed = new Map<string, readonly string[]>();
  for (const { name, message, assertionResults } of testResults) {
    if (assertionResults.length === 0) throw new Error(`${name} cannot be run: ${message}`);
    const names = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
    failed.set(name, names);
  }
  return failed;
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], cwd: string, signal: AbortSignal): Promise<Ended> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env['JEST_WORKER_ID'];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ exitCode, stdout, stderr });
    });
  });
}
