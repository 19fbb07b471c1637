import type { Effect } from '../coordinator/effect.js';
import type { CoordinatorState } from '../coordinator/state.js';
import { taskKey } from '../model/connector.js';
import { eventsIn, type LogEvent } from '../model/entry.js';

/** Writes effects as lines: an append has a line for each of its events. */
export function effectLines(effects: readonly Effect[], prefix = ''): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'append') return [`${prefix}${effect.kind}${fields(effect)}`];
    const events = effect.events.flatMap((event) => eventsIn(event));
    return [`${prefix}append after seq ${effect.after.seq}`, ...events.map((event) => `  ${eventLine(event)}`)];
  });
}

/** Writes what a coordinator knows as lines. */
export function stateLines({ role, cluster }: CoordinatorState): readonly string[] {
  const members = [...cluster.members.values()].map(
    ({ incarnation, role: memberRole, suspectedAt }) =>
      `member ${incarnation} ${memberRole}${suspectedAt === undefined ? '' : ', suspected'}`,
  );
  const connectors = [...cluster.connectors].map(
    ([name, { targetState, error }]) => `connector ${name} ${targetState}${error === undefined ? '' : `, failed: ${error}`}`,
  );
  const tasks = [...cluster.tasks.values()].map(({ id, assignment, completed }) => {
    if (assignment === undefined) return `task ${taskKey(id)} ${completed === undefined ? 'unassigned' : 'completed'}`;
    const revoked = assignment.revokedAt === undefined ? '' : ', revoked';
    return `task ${taskKey(id)} on ${assignment.incarnation}, generation ${assignment.generation}${revoked}`;
  });
  return [`${role}, epoch ${cluster.epoch}, head ${cluster.head.seq}`, ...members, ...connectors, ...tasks];
}

function eventLine(event: LogEvent): string {
  if (event.kind === 'claimed') return `claimed${fields({ incarnation: event.incarnation })}`;
  return `${event.kind}${fields(event)}`;
}

function fields(of: object): string {
  return Object.entries(of)
    .filter(([name, value]) => name !== 'kind' && value !== undefined)
    .map(([name, value]) => ` ${name}=${textOf(value)}`)
    .join('');
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  if (typeof value === 'string') return /^[^\s=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isTaskId(value)) {
    const key = taskKey(value);
    if ('skipped' in value) return `${key} without ${String(value.skipped)} records`;
    return 'incarnation' in value ? `${key} on ${String(value.incarnation)}` : key;
  }
  const parts = Object.entries(value).map(([name, part]) => `${name}=${textOf(part)}`);
  return `{${parts.join(' ')}}`;
}

function isTaskId(value: object): value is { readonly connector: string; readonly index: number } {
  return 'connector' in value && 'index' in value;
}
