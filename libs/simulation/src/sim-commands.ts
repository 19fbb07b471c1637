import type { Command, CommandBody, Pair, TaskId } from '@sluice/core';
import type { SimBroker } from './sim-broker.js';
import { wallOf, type SimClock } from './sim-clock.js';

const NAMES = ['a', 'b', 'c'] as const;
const RUNNERS = ['r1', 'r2', 'r3'] as const;

/** Users at work: commands of all kinds, some sent twice. */
export class SimCommands {
  /** All that were ever sent, by request id. */
  readonly sent = new Map<string, Command>();
  #sent = 0;

  constructor(readonly broker: SimBroker) {}

  send(): void {
    const { broker } = this;
    const { clock } = broker;
    const command = this.#send((requestId) => this.#body(requestId, clock));
    // Nobody can distinguish a duplicate that lands in a new topic at the very offset of the old one.
    const sentTo = broker.commandTopics;
    if (clock.random() >= 0.3) return;
    clock.after(clock.random() * 9_000, () => {
      if (broker.commandTopics === sentTo) broker.commands.push(command);
    });
  }

  /** A runner at work: it has one of its tasks revoked and assigned again. */
  restart(id: TaskId, generation: number): void {
    this.#send(() => ({ kind: 'tasks.restart', name: id.connector, tasks: [{ ...id, generation }] }));
  }

  /** A runner at work: one of its tasks asks that its connector be split again. */
  split(name: string): void {
    this.#send(() => ({ kind: 'connector.restart', name, byTask: true }));
  }

  /** A runner at work: it has pairs agreed upon for a connector that it splits. Returns the request. */
  extend(name: string, pairs: readonly Pair[]): Command {
    return this.#send(() => ({ kind: 'pairs.extend', name, pairs }));
  }

  #send(bodyOf: (requestId: string) => CommandBody): Command {
    const { clock, commands } = this.broker;
    this.#sent += 1;
    const requestId = `q${this.#sent}`;
    const sentAt = wallOf(clock) + (clock.random() - 0.5) * 1_200_000;
    const command: Command = { requestId, sentAt, from: 'g', ...bodyOf(requestId) };
    this.sent.set(requestId, command);
    commands.push(command);
    return command;
  }

  #body(requestId: string, clock: SimClock): CommandBody {
    const name = clock.pick(NAMES) ?? 'a';
    const put = putOf(requestId, name, clock);
    const nodeId = clock.pick(RUNNERS) ?? 'r1';
    const body = clock.pick<CommandBody>([
      put,
      put,
      put,
      put,
      {
        kind: 'connector.target',
        name,
        targetState: clock.pick(['RUNNING', 'PAUSED', 'STOPPED'] as const) ?? 'RUNNING',
      },
      { kind: 'connector.delete', name },
      { kind: 'tasks.restart', name, tasks: [{ connector: name, index: 0 }] },
      { kind: 'connector.restart', name, includeTasks: clock.random() < 0.5, onlyFailed: clock.random() < 0.5 },
      { kind: 'node.drain', nodeId },
      { kind: 'node.undrain', nodeId },
      { kind: 'settings.put', settings: { 'assignment.strategy': strategyOf(clock) } },
    ]);
    return body ?? put;
  }
}

function putOf(requestId: string, name: string, clock: SimClock): CommandBody {
  const config = {
    'connector.class': clock.pick(['FileSource', 'alias.FileSource']) ?? '',
    'tasks.max': String(1 + Math.floor(clock.random() * 5)),
    bad: clock.random() < 0.1 ? 'yes' : 'no',
    ...(clock.random() < 0.5 ? { request: requestId } : {}),
  };
  const mode = clock.random() < 0.4 ? ('create' as const) : ('upsert' as const);
  return { kind: 'connector.put', mode, name, type: 'source', config };
}

function strategyOf(clock: SimClock): string | null {
  return clock.pick(['sticky', 'average', 'consistent-hash', null] as const) ?? null;
}
