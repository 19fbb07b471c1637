import type { PluginRegistry } from '../plugins/plugin-registry.js';
import type { ResolvedTask } from '../secrets/resolved-task.js';
import { errorTrace } from '../task/error-text.js';

/** Traces go into every report of the node: a longer one keeps its beginning and its end. */
export const MAX_TRACE_LENGTH = 16_384;

/** Shortens a trace so that it fits into a report. */
export function shortenedTrace(text: string): string {
  const left = text.length - MAX_TRACE_LENGTH;
  if (left <= 0) return text;
  const half = MAX_TRACE_LENGTH / 2;
  return `${text.slice(0, half)}\n... ${left} characters are left out ...\n${text.slice(-half)}`;
}

/**
 * Returns a function that describes an error with its causes, without the values of the secret settings that a task has. It goes by the versions of
 * plugins that are the task's now: those that come later may name secrets otherwise. Where it cannot find the secrets, it leaves the text out.
 */
export function describerOf(
  { config, resolved }: Pick<ResolvedTask, 'config' | 'resolved'>,
  plugins: PluginRegistry,
): (error: unknown) => string {
  let hide: (text: string) => string;
  try {
    hide = plugins.secretsHider(config, resolved);
  } catch (cause) {
    const why = cause instanceof Error ? cause.name : typeof cause;
    hide = () => `An error whose text is left out: the secrets of its task are unknown (${why})`;
  }
  return (error) => shortenedTrace(hide(errorTrace(error)));
}
