import type { Effect } from '../coordinator/effect.js';
import type { SplitAnswer } from '../coordinator/input.js';
import type { CommandBody } from '../model/command.js';
import { TargetState, type TaskId } from '../model/connector.js';
import { eventsIn, type LogEvent } from '../model/entry.js';
import type { Report, RunState } from '../model/report.js';
import { CoordinatorHarness } from './coordinator-harness.js';
import { effectLines, stateLines } from './scenario-text.js';
import { LogWriter } from './log-writer.js';

const INPUT_MARK = '> ';
const TICK_MS = 100;

/** A line of a scenario that says nothing known. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/**
 * Plays a scenario and returns its text with the effects as they are. A line that starts with `> ` is an input; the indented lines below it are
 * its effects, which are written again; every other line stays.
 *
 * @throws ScenarioError naming the line that it cannot play, and what is allowed
 */
export function played(text: string): string {
  const player = new ScenarioPlayer();
  const lines: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s+\S/.test(line)) continue;
    lines.push(line);
    if (!line.startsWith(INPUT_MARK)) continue;
    try {
      lines.push(...player.play(line.slice(INPUT_MARK.length)).map((effect) => `  ${effect}`));
    } catch (error) {
      throw new ScenarioError(`line ${index + 1}, ${line}: ${(error as Error).message}`, { cause: error });
    }
  }
  return lines.join('\n');
}

/** The words of an input after its verb. */
class Words {
  readonly #plain: string[];
  readonly #named: Map<string, string>;

  constructor(words: readonly string[]) {
    this.#plain = words.filter((word) => !word.includes('='));
    this.#named = new Map(
      words.filter((word) => word.includes('=')).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    );
  }

  next(what: string): string {
    const word = this.#plain.shift();
    if (word === undefined) throw new Error(`${what} is missing`);
    return word;
  }

  oneOf<Word extends string>(what: string, ...allowed: readonly Word[]): Word {
    const word = this.next(what);
    const found = allowed.find((each) => each === word);
    if (found === undefined) throw new Error(`${what} is ${word}; allowed are ${allowed.join(', ')}`);
    return found;
  }

  number(what: string): number {
    return numberOf(what, this.next(what));
  }

  rest(): readonly string[] {
    return this.#plain.splice(0);
  }

  named(name: string): string | undefined {
    const value = this.#named.get(name);
    this.#named.delete(name);
    return value;
  }

  allNamed(): ReadonlyMap<string, string> {
    const named = new Map(this.#named);
    this.#named.clear();
    return named;
  }

  /** Refuses what no verb has asked for. */
  end(): void {
    const left = [...this.#plain, ...this.#named.keys()];
    if (left.length > 0) throw new Error(`${left.join(', ')} means nothing here`);
  }
}

class ScenarioPlayer {
  #harness: CoordinatorHarness | undefined;
  readonly #log = new LogWriter();
  #shown = 0;

  play(input: string): readonly string[] {
    const [verb = '', ...rest] = input.trim().split(/\s+/);
    const play = verbs[verb];
    if (play === undefined) throw new Error(`${verb} is no input; allowed are ${Object.keys(verbs).join(', ')}`);
    const words = new Words(rest);
    const lines = play(this, words);
    words.end();
    return lines ?? effectLines(this.take());
  }

  get hasStarted(): boolean {
    return this.#harness !== undefined;
  }

  get harness(): CoordinatorHarness {
    if (this.#harness === undefined) throw new Error('no coordinator has started yet');
    return this.#harness;
  }

  /** The effects since the last time, without probes that came back at once. */
  take(): readonly Effect[] {
    const { effects, isProbing } = this.harness;
    const taken = effects.slice(this.#shown);
    this.#shown = effects.length;
    return taken.filter(({ kind }) => kind !== 'send-probe' || !isProbing);
  }

  start(supersedes: string | undefined): void {
    this.#harness = new CoordinatorHarness(this.#log, supersedes);
  }

  /** A coordinator that leads and may assign tasks; how it came to that is not shown. */
  lead(settings: Readonly<Record<string, number>>): void {
    this.#harness = CoordinatorHarness.leading(settings);
    this.#shown = this.harness.effects.length;
  }

  /** Writes to the log: before the start it is there, afterwards the coordinator reads it. */
  write(write: (log: LogWriter) => void): void {
    if (this.#harness === undefined) write(this.#log);
    else this.#harness.readNew(write);
  }

  pass(durationMs: number, alive: readonly string[]): readonly string[] {
    const lines: string[] = [];
    let renewals = 0;
    for (let passed = TICK_MS; passed <= durationMs; passed += TICK_MS) {
      this.harness.pass(TICK_MS, alive);
      for (const effect of this.take()) {
        if (isRenewal(effect)) renewals += 1;
        else lines.push(...effectLines([effect], `+${passed} ms: `));
      }
    }
    if (renewals > 0) lines.push(`lease renewals: ${renewals}`);
    return lines;
  }

  lastAppend(): Extract<Effect, { kind: 'append' }> {
    const append = this.harness.of('append').at(-1);
    if (append === undefined) throw new Error('nothing was appended');
    return append;
  }
}

type Play = (player: ScenarioPlayer, words: Words) => readonly string[] | undefined;

/** A verb whose lines are the effects that it has. */
function doing(act: (player: ScenarioPlayer, words: Words) => void): Play {
  return (player, words) => {
    act(player, words);
    return undefined;
  };
}

function silently(act: (player: ScenarioPlayer, words: Words) => void): Play {
  return (player, words) => {
    act(player, words);
    return [];
  };
}

function commanding(body: (words: Words) => CommandBody): Play {
  return doing(({ harness }, words) => harness.command(body(words)));
}

const verbs: Readonly<Record<string, Play>> = {
  log: (player, words) => {
    const isBefore = !player.hasStarted;
    player.write((log) => {
      writeTo(log, words);
    });
    return isBefore ? [] : undefined;
  },
  start: silently((player, words) => {
    player.start(words.named('supersedes'));
  }),
  leading: silently((player, words) => {
    const settings = [...words.allNamed()].map(([name, value]) => [name, numberOf(name, value)] as const);
    player.lead(Object.fromEntries(settings));
  }),
  head: doing(({ harness }) => harness.feed({ kind: 'head.reached', sentAt: harness.now })),
  pass: (player, words) => player.pass(words.number('the time in ms'), words.rest()),
  sleep: silently(({ harness }, words) => {
    const sleptMs = words.number('the time in ms');
    harness.now += sleptMs;
    harness.wall += sleptMs;
  }),
  tick: doing(({ harness }) => harness.feed({ kind: 'tick' })),
  report: doing(({ harness }, words) => {
    harness.report(words.next('the node'), reportChange(harness, words));
  }),
  create: doing(({ harness }, words) => harness.create(words.next('the connector'), numberOf('tasks', words.named('tasks') ?? '1'))),
  update: commanding((words) => {
    const name = words.next('the connector');
    const config = { 'connector.class': 'FileSource', ...Object.fromEntries(words.allNamed()) };
    return { kind: 'connector.put', mode: 'upsert', name, type: 'source', config };
  }),
  target: commanding((words) => ({
    kind: 'connector.target',
    name: words.next('the connector'),
    targetState: words.oneOf('the target state', ...Object.values(TargetState)),
  })),
  delete: commanding((words) => ({ kind: 'connector.delete', name: words.next('the connector') })),
  restart: commanding((words) => {
    const id = taskId(words.next('the task'));
    return { kind: 'tasks.restart', name: id.connector, tasks: [id] };
  }),
  drain: commanding((words) => ({ kind: 'node.drain', nodeId: words.next('the node') })),
  undrain: commanding((words) => ({ kind: 'node.undrain', nodeId: words.next('the node') })),
  answer: doing(({ harness }, words) => {
    const kind = words.oneOf('the answer', 'tasks', 'timeout', 'no-such-plugin', 'error');
    if (kind === 'tasks') {
      harness.answer(Object.fromEntries(words.allNamed()));
      return;
    }
    const question = harness.of('ask-task-configs').at(-1);
    if (question === undefined) throw new Error('nothing was asked');
    const { connector, configVersion, nodeId } = question;
    const answer: SplitAnswer = kind === 'error' ? { kind, error: words.rest().join(' ') } : { kind };
    harness.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer });
  }),
  storing: silently(({ harness }, words) => {
    harness.isStoring = words.oneOf('storing', 'on', 'off') === 'on';
  }),
  probing: silently(({ harness }, words) => {
    harness.isProbing = words.oneOf('probing', 'on', 'off') === 'on';
  }),
  store: doing((player) => {
    player.harness.store(player.lastAppend());
  }),
  settle: doing((player, words) => {
    const outcome = words.oneOf('the outcome', 'stored', 'not-stored', 'unknown');
    player.harness.feed({ kind: 'append.settled', appendId: player.lastAppend().appendId, outcome });
  }),
  stop: doing(({ harness }) => harness.feed({ kind: 'stop' })),
  show: ({ harness }) => stateLines(harness.state),
};

function writeTo(log: LogWriter, words: Words): void {
  const what = words.oneOf('the entry', 'genesis', 'claim', 'join', 'renew', 'resign', 'reject');
  const incarnationOf = (nodeId: string): string => words.named('incarnation') ?? `${nodeId}#1`;
  switch (what) {
    case 'genesis':
      log.write({ kind: 'genesis', broker: 'broker-a' });
      return;
    case 'claim': {
      const nodeId = words.next('the node');
      log.claim(nodeId, incarnationOf(nodeId));
      return;
    }
    case 'join':
      log.join(words.next('the node'));
      return;
    case 'renew':
      log.write({ kind: 'lease.renewed' });
      return;
    case 'resign':
      log.write({ kind: 'leader.resigned' });
      return;
    case 'reject': {
      const nodeId = words.next('the node');
      const incarnation = incarnationOf(nodeId);
      log.write({ kind: 'member.rejected', nodeId, incarnation, reason: `node id ${nodeId} is in use` });
    }
  }
}

function reportChange(harness: CoordinatorHarness, words: Words): Partial<Report> {
  const [incarnation, supersedes, tasks] = ['incarnation', 'supersedes', 'tasks'].map((name) => words.named(name));
  const isLeaving = words.rest().map((word) => {
    if (word !== 'leaving') throw new Error(`${word} means nothing here`);
    return true;
  });
  return {
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(supersedes === undefined ? {} : { supersedes }),
    ...(isLeaving.length > 0 ? { leaving: true } : {}),
    ...(tasks === undefined ? {} : { tasks: reportedTasks(harness, tasks) }),
  };
}

/** Tasks as `none`, or as `a-0:FAILED,a-1:RUNNING:ended`, each at the generation that the log assigned last. `ended:3` has left out 3 records. */
function reportedTasks(harness: CoordinatorHarness, text: string): Report['tasks'] {
  if (text === 'none') return [];
  return text.split(',').map((item) => {
    const [key = '', state = 'RUNNING', end, skipped] = item.split(':');
    if (end !== undefined && end !== 'ended') throw new Error(`the end is ${end}; allowed is ended`);
    const generation = harness.state.cluster.tasks.get(key)?.assignment?.generation;
    if (generation === undefined) throw new Error(`task ${key} is not assigned`);
    const completed = end === undefined ? {} : { completedAt: 0 };
    const counters = skipped === undefined ? {} : { recordsSkipped: numberOf('the number of skipped records', skipped) };
    return { id: taskId(key), generation, state: state as RunState, since: 0, committed: false, ...completed, counters };
  });
}

function taskId(key: string): TaskId {
  const at = key.lastIndexOf('-');
  return { connector: key.slice(0, at), index: numberOf('the task', key.slice(at + 1)) };
}

function numberOf(what: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${what} is ${text}; allowed are whole numbers`);
  return Number(text);
}

function isRenewal(effect: Effect): boolean {
  if (effect.kind !== 'append') return false;
  return effect.events.flatMap((event): readonly LogEvent[] => eventsIn(event)).every(({ kind }) => kind === 'lease.renewed');
}
