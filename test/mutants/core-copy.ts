import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import type { Mutant } from './mutant.js';

const coreFolder = fileURLToPath(new URL('../../libs/core/src/', import.meta.url));
/** They say what is right and wrong in a simulation: these see the log by the rules as they are, never by a mutant's. */
const judges: readonly string[] = ['testing/sim-truth.ts', 'testing/sim-outcome.ts', 'testing/sim-judge.ts'];

/** Texts of source files by their path below `libs/core/src`. */
export type Sources = ReadonlyMap<string, string>;

/** The text that a mutation replaces does not stand in the source, or not just once: the mutation has to follow the source. */
export class MutationLostError extends Error {
  override readonly name = 'MutationLostError';
  constructor({ rule, file, from }: Mutant, count: number) {
    super(`Mutant "${rule}": its text stands ${String(count)} times in libs/core/src/${file}, not once: ${from}`);
  }
}

/** The shipped source of `libs/core`, with its specs. */
export async function coreSources(): Promise<Sources> {
  const paths = await readdir(coreFolder, { recursive: true });
  const files = paths.filter((path) => path.endsWith('.ts'));
  return new Map(
    await Promise.all(files.map(async (path) => [path, await readFile(join(coreFolder, path), 'utf8')] as const)),
  );
}

/** Throws `MutationLostError`. */
export function mutated(sources: Sources, mutant: Mutant): Sources {
  const parts = sources.get(mutant.file)?.split(mutant.from) ?? [];
  if (parts.length !== 2) throw new MutationLostError(mutant, Math.max(0, parts.length - 1));
  return new Map(sources).set(mutant.file, parts.join(mutant.to));
}

/**
 * Writes sources as JavaScript that Node runs.
 *
 * @param truth path of the folder with the sources as they are, relative to `folder`; the simulation's judges import from there.
 * @param specs those to write too.
 */
export async function writeBuilt(
  folder: string,
  sources: Sources,
  truth = '.',
  specs: readonly string[] = [],
): Promise<void> {
  const wanted = [...sources].filter(([path]) => !path.endsWith('.spec.ts') || specs.includes(path));
  await Promise.all(
    wanted.map(async ([path, text]) => {
      const target = join(folder, builtPath(path));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, built(judges.includes(path) ? judging(text, truth) : text));
    }),
  );
}

/** Where the JavaScript of a source file stands. */
export function builtPath(path: string): string {
  return path.replace(/\.ts$/, '.js');
}

function judging(text: string, truth: string): string {
  return text.replaceAll("from '../", `from '../${truth}/`);
}

const builtTexts = new Map<string, string>();

function built(text: string): string {
  let code = builtTexts.get(text);
  if (code === undefined) {
    code = transformSync(text, {
      swcrc: false,
      configFile: false,
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    }).code;
    builtTexts.set(text, code);
  }
  return code;
}
