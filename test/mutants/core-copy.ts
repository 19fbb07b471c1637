import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import type { Mutant } from './mutant.js';

const coreFolder = fileURLToPath(new URL('../../libs/core/src/', import.meta.url));
const simulationFolder = fileURLToPath(new URL('../../libs/simulation/src/', import.meta.url));
/** They say what is right and wrong in a simulation: these see the log by the rules as they are, never by a mutant's. */
const judges: readonly string[] = ['sim-truth.ts', 'sim-outcome.ts', 'sim-judge.ts', 'sim-completions.ts', 'sim-pairs.ts'].map(
  (name) => `simulation/${name}`,
);

/** Texts of source files by their path below `libs/core/src`; those of `libs/simulation/src` are below `simulation/`. */
export type Sources = ReadonlyMap<string, string>;

/** The text that a mutation replaces does not stand in the source, or not just once: the mutation has to follow the source. */
export class MutationLostError extends Error {
  override readonly name = 'MutationLostError';
  constructor({ rule, file, from }: Mutant, count: number) {
    super(`Mutant "${rule}": its text stands ${count} times in libs/core/src/${file}, not once: ${from}`);
  }
}

/** The shipped source of `libs/core` with its specs, and the simulation. */
export async function coreSources(): Promise<Sources> {
  const [core, simulation] = await Promise.all([coreFolder, simulationFolder].map(textsIn));
  return new Map([...(core ?? []), ...(simulation ?? []).map(([path, text]) => [`simulation/${path}`, text] as const)]);
}

async function textsIn(folder: string): Promise<readonly (readonly [path: string, text: string])[]> {
  const paths = await readdir(folder, { recursive: true });
  const files = paths.filter((path) => path.endsWith('.ts'));
  return Promise.all(files.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const));
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
export async function writeBuilt(folder: string, sources: Sources, truth = '.', specs: readonly string[] = []): Promise<void> {
  const wanted = [...sources].filter(([path]) => !path.endsWith('.spec.ts') || specs.includes(path));
  await Promise.all(
    wanted.map(async ([path, text]) => {
      const target = join(folder, builtPath(path));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, built(importing(text, judges.includes(path) ? truth : '.')));
    }),
  );
}

/** Where the JavaScript of a source file stands. */
export function builtPath(path: string): string {
  return path.replace(/\.ts$/, '.js');
}

/** The simulation's code with its imports of `libs/core` from a folder beside its own. */
function importing(text: string, core: string): string {
  return text.replaceAll("from '@sluice/core'", `from '${posix.join('..', core, 'index.js')}'`);
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
