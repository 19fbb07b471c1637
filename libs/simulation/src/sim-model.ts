import {
  type ClusterState,
  type Command,
  type CommandOutcome,
  type Config,
  eventsIn,
  type LogEntry,
  sameConfig,
  TargetState,
} from '@sluice/core';

interface ModelConnector {
  readonly config: Config;
  readonly targetState: TargetState;
}

/** Carries out the requests of users one after the other by the simplest code that can do it. The log must say the same. */
export class SimModel {
  readonly #connectors = new Map<string, ModelConnector>();
  readonly #draining = new Set<string>();
  readonly #settings = new Map<string, string>();
  readonly #done = new Set<string>();

  /** @returns what is wrong with the log's answers and with what it says at last. */
  static judge(accepted: readonly LogEntry[], sent: ReadonlyMap<string, Command>, state: ClusterState): readonly string[] {
    const model = new SimModel();
    const wrong: string[] = [];
    for (const event of accepted.flatMap((entry) => eventsIn(entry.event))) {
      if (event.kind !== 'command.done') continue;
      const { requestId, outcome } = event.result;
      const command = sent.get(requestId);
      if (command === undefined) wrong.push(`command ${requestId} was never sent`);
      else if (!model.#take(command, outcome)) wrong.push(`command ${requestId} was answered ${JSON.stringify(outcome)}`);
    }
    return [...wrong, ...model.#differences(state)];
  }

  /** Carries out a command; false if the outcome is not what it must be. */
  #take(command: Command, outcome: CommandOutcome): boolean {
    if (this.#done.has(command.requestId)) return true;
    this.#done.add(command.requestId);
    const isDone = outcome.status === 'done';
    switch (command.kind) {
      case 'settings.put':
        if (isDone) this.#set(command.settings);
        return isDone || isOfOlderLevel(outcome);
      case 'node.drain':
      case 'node.undrain':
        // Who is a member is not the model's to know.
        if (isDone && command.kind === 'node.drain') this.#draining.add(command.nodeId);
        else if (isDone) this.#draining.delete(command.nodeId);
        return isDone || outcome.status === 'not-found' || isOfOlderLevel(outcome);
      case 'connector.put': {
        const known = this.#connectors.get(command.name);
        if (known !== undefined && command.mode === 'create') return outcome.status === 'conflict';
        const targetState = known?.targetState ?? command.targetState ?? TargetState.running;
        this.#connectors.set(command.name, { config: command.config, targetState });
        return isDone && outcome.created === (known === undefined);
      }
      case 'connector.target':
      case 'connector.delete':
      case 'tasks.restart':
      case 'connector.restart':
      case 'pairs.extend':
        return this.#takeForConnector(command, outcome);
    }
  }

  #takeForConnector(
    command: Extract<Command, { kind: 'connector.target' | 'connector.delete' | 'tasks.restart' | 'connector.restart' | 'pairs.extend' }>,
    outcome: CommandOutcome,
  ): boolean {
    const known = this.#connectors.get(command.name);
    if (known === undefined) return outcome.status === 'not-found';
    if (command.kind === 'connector.target') this.#connectors.set(command.name, { ...known, targetState: command.targetState });
    if (command.kind === 'connector.delete') this.#connectors.delete(command.name);
    // Which tasks there are, and which have failed, is not the model's to know.
    if (command.kind === 'tasks.restart' && outcome.status === 'not-found') return true;
    if (command.kind === 'connector.restart' && command.onlyFailed === true && outcome.status === 'conflict') return true;
    // What is agreed upon is judged by SimPairs.
    return outcome.status === 'done' || (command.kind === 'pairs.extend' && isOfOlderLevel(outcome));
  }

  #set(settings: Readonly<Record<string, string | null>>): void {
    for (const [key, value] of Object.entries(settings)) {
      if (value === null) this.#settings.delete(key);
      else this.#settings.set(key, value);
    }
  }

  #differences({ connectors, draining, settings }: ClusterState): readonly string[] {
    const wrong: string[] = [];
    for (const name of new Set([...connectors.keys(), ...this.#connectors.keys()])) {
      const found = connectors.get(name);
      const wanted = this.#connectors.get(name);
      const isSame = found !== undefined && wanted !== undefined && sameConfig(found.config, wanted.config);
      if (!isSame || found.targetState !== wanted.targetState) wrong.push(`connector ${name} is not as it was asked for`);
    }
    if ([...draining].sort().join() !== [...this.#draining].sort().join()) wrong.push(`${draining.join()} drain`);
    if (!sameConfig(settings, Object.fromEntries(this.#settings))) wrong.push('settings are not as they were asked for');
    return wrong;
  }
}

function isOfOlderLevel(outcome: CommandOutcome): boolean {
  return outcome.status === 'conflict' && outcome.message.includes('feature level');
}
