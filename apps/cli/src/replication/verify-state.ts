import { readFile, rename, writeFile } from 'node:fs/promises';
import type { PairState } from './compare-pair.js';

/** What a comparison is about: a file of another one cannot be taken up. */
export interface VerifySubject {
  /** Identities of the clusters. */
  readonly from: string;
  readonly to: string;
  readonly connector: string | null;
  /** How the topics of the target are named: `${topic}` stands for the source's name. */
  readonly targetTopic: string;
  readonly topics: readonly string[];
  readonly queueMap: readonly string[];
}

/** What a file keeps between runs. */
export interface VerifyState {
  readonly subject: VerifySubject;
  readonly pairs: readonly PairState[];
}

const VERSION = 1;

/**
 * Reads a file of {@link saveState}; `undefined` where there is none.
 *
 * @throws Error for another file, and for the state of another comparison; it names what differs
 */
export async function loadState(path: string, subject: VerifySubject): Promise<VerifyState | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const state = parse(text, path);
  for (const name of Object.keys(subject) as (keyof VerifySubject)[]) {
    const [given, kept] = [JSON.stringify(subject[name]), JSON.stringify(state.subject[name])];
    if (given === kept) continue;
    throw new Error(
      `--state ${path} is of another comparison: its ${name} is ${kept}, and this one has ${given}. Give another file, or delete it`,
    );
  }
  return state;
}

/** Writes a state, so that a crash leaves the state before or this one. */
export async function saveState(path: string, state: VerifyState): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, JSON.stringify({ version: VERSION, ...state }), { mode: 0o600, flush: true });
  await rename(next, path);
}

function parse(text: string, path: string): VerifyState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`--state ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const { version, subject, pairs } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (version !== VERSION || typeof subject !== 'object' || subject === null || !Array.isArray(pairs)) {
    throw new Error(`--state ${path} is no state of \`sluice verify\` of this version: give another file, or delete it`);
  }
  return { subject: subject as VerifySubject, pairs: pairs as readonly PairState[] };
}
