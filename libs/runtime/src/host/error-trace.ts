import type { PluginRegistry } from '../plugins/plugin-registry.js';
import type { ResolvedTask } from '../secrets/resolved-task.js';
import { errorTrace } from '../task/error-text.js';

/** Traces go into every report of the node: a longer one keeps its beginning and its end. */
export const MAX_TRACE_LENGTH = 16_384;

/** The characters that one of a secret has at most in another form: as three bytes in a URL. */
const MAX_FORM_FACTOR = 9;
/** The login of a URL is hidden in any text: a longer one than this is taken for no login. */
const MAX_LOGIN = 4096;

/** Shortens a trace so that it fits into a report. */
export function shortenedTrace(text: string): string {
  const left = text.length - MAX_TRACE_LENGTH;
  if (left <= 0) return text;
  const half = MAX_TRACE_LENGTH / 2;
  return withGap(text.slice(0, half), left, text.slice(-half));
}

/**
 * Hides the secrets of a trace, and shortens it. Of a long one only beginning and end are searched. No cut shows a part of
 * a secret: each end is searched with two cuts, which are further apart than a secret is long. What both have in common is shown.
 *
 * @param longest characters of the longest form of a secret
 */
function hiddenTrace(trace: string, hide: (text: string) => string, longest: number): string {
  const near = MAX_TRACE_LENGTH + longest;
  const far = near + longest;
  if (trace.length <= 2 * far) return shortenedTrace(hide(trace));
  const half = MAX_TRACE_LENGTH / 2;
  const start = commonStart(hide(trace.slice(0, near)), hide(trace.slice(0, far))).slice(0, half);
  const end = commonEnd(hide(trace.slice(-near)), hide(trace.slice(-far))).slice(-half);
  return withGap(start, trace.length - MAX_TRACE_LENGTH, end);
}

function withGap(start: string, left: number, end: string): string {
  return `${start}\n... ${left} characters are left out ...\n${end}`;
}

function commonStart(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return one.slice(0, length);
}

function commonEnd(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return one.slice(one.length - length);
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
    return () => `An error whose text is left out: the secrets of its task are unknown (${why})`;
  }
  const values = [...Object.values(config), ...(resolved ?? []).map(({ value }) => value)];
  const longest = values.reduce((most, { length }) => Math.max(most, length * MAX_FORM_FACTOR), MAX_LOGIN);
  return (error) => hiddenTrace(errorTrace(error), hide, longest);
}
