import {
  type ClusterState,
  type Command,
  type Config,
  eventsIn,
  type LogEntry,
  type LogEvent,
  memberKey,
  type Overrides,
  TargetState,
  taskKey,
} from '@sluice/core';

type Split = Extract<LogEvent, { kind: 'tasks.configured' }>;

/** Names a generation of a task that came to its end of data. */
export function endOf(key: string, generation: number): string {
  return `${key} at generation ${generation}`;
}

/**
 * Follows which tasks have completed, by code of its own: from accepted entries alone, not from the state that they fold to. A task completes
 * only where the generation that holds it has come to its end. It runs again only after a restart, new settings or a stop.
 */
export function wrongCompletions({
  accepted,
  sent,
  state,
  ended,
}: {
  readonly accepted: readonly LogEntry[];
  readonly sent: ReadonlyMap<string, Command>;
  readonly state: ClusterState;
  readonly ended: ReadonlySet<string>;
}): readonly string[] {
  const completions = new Completions(ended, sent);
  for (const { event, seq } of accepted) completions.take(event, seq);
  return [...completions.wrong, ...completions.differences(state)];
}

class Completions {
  readonly wrong: string[] = [];
  /** The generation that holds a task and was not asked to stop, with its owner. */
  readonly #held = new Map<string, { readonly generation: number; readonly owner: string }>();
  readonly #completed = new Set<string>();
  /** The settings of each task, as text. */
  readonly #settings = new Map<string, string>();
  readonly #configs = new Map<string, { readonly version: number; readonly config: Config }>();

  constructor(
    readonly ended: ReadonlySet<string>,
    readonly sent: ReadonlyMap<string, Command>,
  ) {}

  take(event: LogEvent, seq: number): void {
    if (event.kind === 'command.applied') this.#takeCommand(event);
    for (const each of eventsIn(event)) this.#takeOne(each, seq);
  }

  differences(state: ClusterState): readonly string[] {
    const found = new Set([...state.tasks.values()].filter(({ completed }) => completed !== undefined).map(({ id }) => taskKey(id)));
    const wrong = [...found].filter((key) => !this.#completed.has(key)).map((key) => `${key} is shown as completed, and no entry says so`);
    for (const key of this.#completed) if (!found.has(key)) wrong.push(`${key} has completed and is not shown as that`);
    for (const key of found) if (state.tasks.get(key)?.assignment !== undefined) wrong.push(`${key} has completed and is still assigned`);
    return wrong;
  }

  /** A runner that asks for a new generation, or for new task settings, does not mean a task that has completed. */
  #takeCommand({ result, events }: Extract<LogEvent, { kind: 'command.applied' }>): void {
    const command = this.sent.get(result.requestId);
    if (command === undefined || !isOfRunner(command)) return;
    for (const { tasks } of events.filter((each) => each.kind === 'tasks.revoked')) {
      for (const key of tasks.map(taskKey))
        if (this.#completed.has(key)) this.wrong.push(`${key} has completed and runs again for its runner`);
    }
  }

  #takeOne(event: LogEvent, seq: number): void {
    if (event.kind === 'tasks.completed') {
      for (const { generation, ...id } of event.tasks) this.#complete(taskKey(id), generation);
    } else if (event.kind === 'tasks.assigned') {
      for (const task of event.tasks) this.#assign(taskKey(task), memberKey(task), seq);
    } else if (event.kind === 'tasks.revoked') {
      for (const key of event.tasks.map(taskKey)) {
        this.#held.delete(key);
        if (event.reason === 'restarted') this.#completed.delete(key);
      }
    } else if (event.kind === 'member.left') {
      for (const [key, { owner }] of this.#held) if (owner === memberKey(event)) this.#held.delete(key);
    } else if (event.kind === 'tasks.configured') {
      this.#split(event);
    } else if (event.kind === 'connector.deleted') {
      this.#forget(event.name);
      this.#configs.delete(event.name);
    } else if (event.kind === 'connector.put' || event.kind === 'connector.target') {
      if (event.kind === 'connector.put') this.#configs.set(event.name, { version: seq, config: event.config });
      if (event.targetState === TargetState.stopped) this.#forget(event.name);
    }
  }

  #assign(key: string, owner: string, seq: number): void {
    if (this.#completed.has(key)) this.wrong.push(`${key} has completed and is assigned at ${seq}`);
    this.#held.set(key, { generation: seq, owner });
  }

  #complete(key: string, generation: number): void {
    const what = endOf(key, generation);
    if (!this.ended.has(what)) this.wrong.push(`${what} has completed though it did not come to its end`);
    const holder = this.#held.get(key)?.generation;
    if (holder !== generation) this.wrong.push(`${what} has completed and is held by ${holder ?? 'nobody'}`);
    this.#held.delete(key);
    this.#completed.add(key);
  }

  /** A task with other settings than before is another one; so is one that is gone. */
  #split({ name, configVersion, tasks }: Split): void {
    const put = this.#configs.get(name);
    if (put?.version !== configVersion) return;
    const wanted = new Map(tasks.map((overrides, index) => [taskKey({ connector: name, index }), settingsOf(put.config, overrides)]));
    for (const key of this.#ofConnector(name)) if (this.#settings.get(key) !== wanted.get(key)) this.#drop(key);
    for (const key of [...this.#settings.keys()]) if (isOf(name, key)) this.#settings.delete(key);
    for (const [key, text] of wanted) this.#settings.set(key, text);
  }

  #forget(name: string): void {
    for (const key of this.#ofConnector(name)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#held.delete(key);
    this.#completed.delete(key);
  }

  #ofConnector(name: string): readonly string[] {
    return [...this.#held.keys(), ...this.#completed].filter((key) => isOf(name, key));
  }
}

function isOfRunner(command: Command): boolean {
  if (command.kind === 'connector.restart') return command.byTask === true;
  return command.kind === 'tasks.restart' && command.tasks.some(({ generation }) => generation !== undefined);
}

function isOf(name: string, key: string): boolean {
  return key.slice(0, key.lastIndexOf('-')) === name;
}

/** How many tasks there are is no setting of one of them. */
function settingsOf(config: Config, overrides: Overrides): string {
  const { 'tasks.max': _, ...own } = { ...config, ...overrides };
  return JSON.stringify(Object.entries(own).sort());
}
