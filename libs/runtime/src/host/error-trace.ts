import { inspect } from 'node:util';
import type { Config } from '@sluice/core';
import type { PluginRegistry } from '../plugins/plugin-registry.js';

/** Traces go into every report of the node: a longer one keeps its beginning and its end. */
export const MAX_TRACE_LENGTH = 16_384;

/** The deepest chain of causes that is followed: causes may form a circle. */
export const MAX_CAUSES = 20;

function textOf(error: unknown): string {
  if (error instanceof Error) return error.stack ?? `${error.name}: ${error.message}`;
  return typeof error === 'string' ? error : inspect(error);
}

/** Returns the full text of an error with its causes, as status answers show it. */
export function errorTrace(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < MAX_CAUSES; depth += 1) {
    const text = textOf(current);
    parts.push(depth === 0 ? text : `Caused by: ${text}`);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join('\n');
}

/** Shortens a trace so that it fits into a report. */
export function shortenedTrace(text: string): string {
  const left = text.length - MAX_TRACE_LENGTH;
  if (left <= 0) return text;
  const half = MAX_TRACE_LENGTH / 2;
  return `${text.slice(0, half)}\n... ${left} characters are left out ...\n${text.slice(-half)}`;
}

/** Describes a task's error with its causes, without the values of the secret settings that the task has. */
export function describeTaskError(error: unknown, config: Config, plugins: PluginRegistry): string {
  return shortenedTrace(plugins.secretsHider(config)(errorTrace(error)));
}
