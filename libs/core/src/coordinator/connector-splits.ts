import type { ClusterState } from '../model/cluster-state.js';
import { connectorClass, isBeingSplit, TargetState, withoutRepeats, type Config, type ConnectorState } from '../model/connector.js';
import type { LogEvent } from '../model/entry.js';
import { memberKey, runnerRole } from '../model/member.js';
import type { EventBatch } from './event-batch.js';
import { fractionOf } from './fraction-of.js';
import type { SplitAnswer } from './input.js';
import { pauseAfter } from './settings.js';
import type { CoordinatorState, OpenQuestion, Turn } from './state.js';

/** How many tasks the user allows; Kafka Connect's key, else Apache RocketMQ Connect's, else one. */
function maxTasksOf(config: Config): number {
  const count = Number(config['tasks.max'] ?? config['max.tasks'] ?? '1');
  return Number.isSafeInteger(count) && count >= 1 ? count : 1;
}

const unsplit = new WeakMap<ClusterState['connectors'], readonly ConnectorState[]>();

/** Connectors whose config is newer than their tasks and was not refused. */
function connectorsToSplit(connectors: ClusterState['connectors']): readonly ConnectorState[] {
  let found = unsplit.get(connectors);
  if (found === undefined) {
    found = [...connectors.values()].filter(isBeingSplit);
    unsplit.set(connectors, found);
  }
  return found;
}

/** Takes in an answer; one to a question that is no longer asked changes nothing. */
export function takeAnswer(
  turn: Turn,
  input: { readonly connector: string; readonly configVersion: number; readonly nodeId: string },
  answer: SplitAnswer,
): void {
  const { next } = turn;
  const question = next.questions.get(input.connector);
  if (question?.configVersion !== input.configVersion || question.asked?.nodeId !== input.nodeId) return;
  if (answer.kind === 'tasks' || answer.kind === 'error') {
    next.questions = new Map(next.questions).set(input.connector, { ...question, asked: undefined, answer });
    return;
  }
  next.questions = new Map(next.questions).set(input.connector, postponed(turn, question, input.nodeId));
}

function postponed({ next, now }: Turn, question: OpenQuestion, nodeId: string): OpenQuestion {
  const tried = question.tried.includes(nodeId) ? question.tried : [...question.tried, nodeId];
  const notBefore = now + pauseAfter(question.failures, next.settings);
  return { ...question, asked: undefined, notBefore, failures: question.failures + 1, tried };
}

/** Writes the answers that are there into the log. */
export function decideSplits(state: CoordinatorState, batch: EventBatch): void {
  for (const [name, { configVersion, answer }] of state.questions) {
    const connector = batch.draft.connectors.get(name);
    if (answer === undefined || connector?.configVersion !== configVersion) continue;
    if (connector.tasksVersion === configVersion || connector.error !== undefined) continue;
    if (connector.targetState === TargetState.stopped) continue;
    const failed = (error: string): LogEvent => ({ kind: 'tasks.failed', name, configVersion, error });
    if (answer.kind === 'error') {
      const event = failed(answer.error);
      batch.add(batch.fits(event) ? event : failed(answer.error.slice(0, 10_000)));
      continue;
    }
    const maxTasks = maxTasksOf(connector.config);
    if (answer.tasks.length > maxTasks) {
      const given = String(answer.tasks.length);
      batch.add(failed(`Connector ${name} was split into ${given} tasks; tasks.max allows ${maxTasks}`));
      continue;
    }
    const tasks = answer.tasks.map((task) => withoutRepeats(connector.config, task));
    const event: LogEvent = { kind: 'tasks.configured', name, configVersion, tasks };
    const tooLarge = `The settings of the ${tasks.length} tasks of connector ${name} exceed one entry of the log`;
    batch.add(batch.fits(event) ? event : failed(tooLarge));
  }
}

/** Asks runners to split the connectors that wait for it, and gives up on those that do not answer. */
export function askQuestions(turn: Turn): void {
  const { next, now, effects } = turn;
  const wanted = connectorsToSplit(next.cluster.connectors);
  if (wanted.length === 0 && next.questions.size === 0) return;
  const questions = new Map<string, OpenQuestion>();
  let open = 0;
  for (const { name, configVersion } of wanted) {
    const known = next.questions.get(name);
    if (known?.configVersion !== configVersion) continue;
    const { asked } = known;
    const isOverdue = asked !== undefined && now - asked.at >= next.settings.questionTimeoutMs;
    const isGone = asked !== undefined && !next.cluster.members.has(asked.nodeId);
    const question = isOverdue || isGone ? postponed(turn, known, asked.nodeId) : known;
    if (question.asked !== undefined) open += 1;
    questions.set(name, question);
  }
  for (const { name, type, config, configVersion } of wanted) {
    if (open >= next.settings.maxOpenQuestions) break;
    const question = questions.get(name) ?? freshQuestion(configVersion, now);
    if (question.asked !== undefined || question.answer !== undefined || now < question.notBefore) continue;
    const candidates = runnersOf(next, type, connectorClass(config));
    if (candidates.length === 0) continue;
    const untried = candidates.filter((nodeId) => !question.tried.includes(nodeId));
    const tried = untried.length === 0 ? [] : question.tried;
    const choice = untried.length === 0 ? candidates : untried;
    const nodeId = choice[Math.floor(fractionOf(name) * choice.length)];
    if (nodeId === undefined) continue;
    questions.set(name, { ...question, tried, asked: { nodeId, at: now } });
    open += 1;
    const maxTasks = maxTasksOf(config);
    effects.push({ kind: 'ask-task-configs', nodeId, connector: name, configVersion, config, maxTasks });
  }
  next.questions = questions;
}

function freshQuestion(configVersion: number, now: number): OpenQuestion {
  return { configVersion, asked: undefined, notBefore: now, failures: 0, tried: [], answer: undefined };
}

/** Live runners that list the class, in a fixed order. */
function runnersOf(state: CoordinatorState, type: ConnectorState['type'], wanted: string): string[] {
  const nodeIds: string[] = [];
  for (const member of state.cluster.members.values()) {
    const known = state.reports.get(memberKey(member));
    if (member.role !== runnerRole(type) || member.suspectedAt !== undefined) continue;
    if (known === undefined || known.report.leaving || !member.plugins.includes(wanted)) continue;
    nodeIds.push(member.nodeId);
  }
  return nodeIds.sort();
}
