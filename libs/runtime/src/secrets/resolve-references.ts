import type { ConfigProvider, ReferencePart, ValuePart } from '@sluice/sdk';
import { untilAborted, withLimit } from '@sluice/time';

/** `ttlMs` is how long the value holds, where its provider says so. */
export type Found = { readonly value: string; readonly ttlMs?: number } | { readonly reason: string; readonly isLasting: boolean };

/** Values by their references as they are written. */
export type FoundReferences = ReadonlyMap<string, Found>;

export interface ReferenceSource {
  readonly providers: ReadonlyMap<string, ConfigProvider>;
  /** How long a provider may take, in milliseconds. */
  readonly limitMs: number;
  /** A larger number of references is a mistake; absent where others have counted them. */
  readonly most?: number;
}

interface Question {
  readonly provider: string;
  readonly path: string;
  readonly asked: Map<string, string>;
}

/**
 * Asks providers for all references of some values: once for all keys of a path, and for references inside others first. Never throws; it says of
 * each reference why it has no value.
 */
export async function findReferences(
  values: readonly (readonly ValuePart[])[],
  source: ReferenceSource,
  signal: AbortSignal,
): Promise<FoundReferences> {
  const found = new Map<string, Found>();
  const waiting = new Map<string, ReferencePart>();
  for (const parts of values) collect(parts, waiting);
  if (source.most !== undefined && waiting.size > source.most) {
    const reason = `the configuration has ${waiting.size} references; at most ${source.most} are allowed`;
    for (const each of waiting.keys()) found.set(each, { reason, isLasting: true });
    return found;
  }
  while (waiting.size > 0) {
    const questions = new Map<string, Question>();
    for (const [written, part] of [...waiting]) {
      const path = textOf(part.path ?? [], found);
      const key = textOf(part.key, found);
      if (path === undefined || key === undefined) continue;
      waiting.delete(written);
      if (typeof path !== 'string' || typeof key !== 'string') {
        found.set(written, typeof path === 'string' ? (key as Exclude<Found, { value: string }>) : path);
        continue;
      }
      const id = JSON.stringify([part.provider, path]);
      const question = questions.get(id) ?? { provider: part.provider, path, asked: new Map<string, string>() };
      questions.set(id, question);
      question.asked.set(written, key);
    }
    await Promise.all([...questions.values()].map((question) => ask(question, source, found, signal)));
  }
  return found;
}

/** Puts together what parts stand for. @returns why not, or undefined while a reference has not been asked for */
export function textOf(parts: readonly ValuePart[], found: FoundReferences): string | Exclude<Found, { value: string }> | undefined {
  let text = '';
  for (const part of parts) {
    if (part.kind === 'text') text += part.text;
    else if (part.kind === 'broken') return { reason: part.reason, isLasting: true };
    else {
      const answer = found.get(part.source);
      if (answer === undefined) return undefined;
      if ('reason' in answer) return answer;
      text += answer.value;
    }
  }
  return text;
}

function collect(parts: readonly ValuePart[], into: Map<string, ReferencePart>): void {
  for (const part of parts) {
    if (part.kind !== 'reference') continue;
    into.set(part.source, part);
    collect(part.path ?? [], into);
    collect(part.key, into);
  }
}

async function ask(
  { provider: name, path, asked }: Question,
  { providers, limitMs }: ReferenceSource,
  found: Map<string, Found>,
  signal: AbortSignal,
): Promise<void> {
  const fail = (reason: string, isLasting: boolean): void => {
    for (const written of asked.keys()) found.set(written, { reason, isLasting });
  };
  const provider = providers.get(name);
  if (provider === undefined) {
    const known = [...providers.keys()];
    const there = known.length === 0 ? 'its setting config.providers names none' : `it has ${known.join(', ')}`;
    fail(`this runner has no config provider ${name}, ${there}; $\${ stands for a \${ that is no reference`, true);
    return;
  }
  const keys = [...new Set(asked.values())];
  try {
    // A provider of a plugin may not heed the signal.
    const {
      values,
      reasons = {},
      ttlMs,
    } = await withLimit(signal, limitMs, (limited) => Promise.race([provider.get(path, keys, limited), rejectedAtAbort(limited)]));
    // A provider of a plugin may answer anything; a time that is no number would never be over.
    const holds = ttlMs !== undefined && Number.isFinite(ttlMs) ? { ttlMs } : {};
    for (const [written, key] of asked) {
      const value: unknown = Object.hasOwn(values, key) ? values[key] : undefined;
      const reason: unknown = Object.hasOwn(reasons, key) ? reasons[key] : undefined;
      const missing = { reason: typeof reason === 'string' ? reason : 'it has no value', isLasting: false };
      found.set(written, typeof value === 'string' ? { value, ...holds } : missing);
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : 'its provider failed', false);
  }
}

async function rejectedAtAbort(signal: AbortSignal): Promise<never> {
  await untilAborted(signal);
  throw signal.reason;
}
