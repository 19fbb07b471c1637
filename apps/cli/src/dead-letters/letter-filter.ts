import type { Letter } from './letter.js';

/** Which letters a command is about. A list that is empty, and a time that is `undefined`, let all pass. */
export interface LetterFilter {
  readonly stages: readonly string[];
  /** Names of exception classes, with or without what stands before their last `.`. */
  readonly classes: readonly string[];
  readonly connectors: readonly string[];
  /** The first ms since the epoch that passes, of the time when the record became a dead letter. */
  readonly fromMs: number | undefined;
  /** The first one that does not pass any more. */
  readonly toMs: number | undefined;
}

/** Names a filter as its option is called. */
export type FilterName = '--from-time' | '--to-time' | '--stage' | '--class' | '--connector';

/** Returns the first filter that a letter does not pass; `undefined` where it passes all. What a letter does not say passes no filter. */
export function rejectedBy({ storedAt, context }: Letter, filter: LetterFilter): FilterName | undefined {
  const { stages, classes, connectors, fromMs, toMs } = filter;
  if (fromMs !== undefined && storedAt < fromMs) return '--from-time';
  if (toMs !== undefined && storedAt >= toMs) return '--to-time';
  if (stages.length > 0 && !has(stages, context.stage)) return '--stage';
  if (classes.length > 0 && !has(classes, context.exceptionClass) && !has(classes, lastPart(context.exceptionClass))) return '--class';
  if (connectors.length > 0 && !has(connectors, context.connector)) return '--connector';
  return undefined;
}

/** Returns whether a filter rejects nothing. */
export function letsAllPass({ stages, classes, connectors, fromMs, toMs }: LetterFilter): boolean {
  return stages.length + classes.length + connectors.length === 0 && fromMs === undefined && toMs === undefined;
}

function has(allowed: readonly string[], value: string | undefined): boolean {
  return value !== undefined && allowed.includes(value);
}

/** Letters of Java programs hold the whole name of a class. */
function lastPart(className: string | undefined): string | undefined {
  return className?.slice(className.lastIndexOf('.') + 1);
}
