import { isSealed, type ValidateAnswer } from '@sluice/protocol';
import {
  type ClusterState,
  type ClusterCommand,
  type CommandBody,
  type ConnectorCommand,
  type CommandOutcome,
  type Config,
  connectorClass,
  type ConnectorType,
  emptyState,
  isConnectorCommand,
  foldEntries,
  LatestReports,
  type Labels,
  type LogEntry,
  type InstanceReport,
  type LogEvent,
  memberKey,
  type PluginInfo,
  type Report,
  type ReportsView,
  runnerRole,
  type RunState,
  TargetState,
  type TaskId,
  taskKey,
} from '@sluice/core';
import { ConfigCipher } from '@sluice/node';
import { type ConfigSpec, ConnectError, ConnectErrorCode, describeSpec, type FieldDescription, validateConfig } from '@sluice/sdk';
import { findPlugin, type ClusterReadModel, type CommandPort, type PluginQuestions } from '../ports/gateway-ports.js';

export interface InMemoryPlugin {
  readonly info: PluginInfo;
  readonly spec: ConfigSpec;
}

type TaskReportJson = Report['tasks'][number];

/** Stands in for a cluster: carries commands out at once, into a real log state, and runs tasks in name only. */
export class InMemoryCluster implements ClusterReadModel, CommandPort, PluginQuestions {
  isFollowing = true;
  stalenessMs = 0;
  leaderSilence = 0;
  /** Set: what the next commands are answered, or how they fail. */
  answer: (() => Promise<CommandOutcome>) | undefined;
  /** Set: what happens just before each command is carried out. */
  before: (() => void | Promise<void>) | undefined;
  /** The configurations that runners were asked about, as they were sent. */
  readonly questions: Config[] = [];
  /** Set: how the next questions to runners fail or hang. */
  question: (() => Promise<never>) | undefined;
  readonly submitted: CommandBody[] = [];
  #state = emptyState();
  readonly #reports = new LatestReports();
  readonly #plugins = new Map<string, readonly InMemoryPlugin[]>();

  constructor(private readonly cipher = new ConfigCipher('c', undefined)) {
    this.#append({ kind: 'genesis', broker: 'broker-a' });
    const { head } = this.#state;
    const claim: LogEvent = { kind: 'claimed', nodeId: 'c1', incarnation: 'c1#1', after: head };
    this.#append(claim, { epoch: 1, claimId: 'claim-1' });
    const role = 'coordinator';
    this.#append({
      kind: 'member.joined',
      member: { nodeId: 'c1', incarnation: 'c1#1', role, capacity: 1, plugins: [] },
    });
  }

  state(): ClusterState {
    return this.#state;
  }
  reports(): ReportsView {
    return this.#reports.view;
  }
  isCaughtUp(): boolean {
    return this.isFollowing;
  }
  ageMs(): number {
    return this.stalenessMs;
  }
  leaderSilentMs(): number {
    return this.leaderSilence;
  }

  addRunner(nodeId: string, type: ConnectorType, plugins: readonly InMemoryPlugin[], labels: Labels = {}): void {
    const incarnation = `${nodeId}#1`;
    const names = plugins.flatMap(({ info }) => [info.name, ...info.aliases]);
    const role = runnerRole(type);
    this.#plugins.set(nodeId, plugins);
    this.#append({ kind: 'member.joined', member: { nodeId, incarnation, role, capacity: 1, plugins: names, labels } });
    this.#report(nodeId, []);
  }

  removeRunner(nodeId: string): void {
    this.#plugins.delete(nodeId);
    this.#append({ kind: 'member.left', nodeId, incarnation: `${nodeId}#1`, reason: 'expired' });
  }

  /** Lets a task's worker report it in another state. */
  setTaskState(id: TaskId, state: RunState, trace?: string): void {
    for (const report of this.#reports.view.values()) {
      if (!report.tasks.some((task) => taskKey(task.id) === taskKey(id))) continue;
      const tasks = report.tasks.map((task) =>
        taskKey(task.id) === taskKey(id) ? { ...task, state, ...(trace === undefined ? {} : { trace }) } : task,
      );
      this.#report(report.nodeId, tasks);
    }
  }

  /** Has all tasks of a connector complete, and stop. */
  complete(name: string): void {
    const ended = [...this.#state.tasks.values()].flatMap(({ id, assignment }) => {
      return id.connector === name && assignment !== undefined ? [{ ...id, generation: assignment.generation, at: 4000 }] : [];
    });
    this.#append({ kind: 'tasks.completed', tasks: ended });
    this.#releaseAll(name);
  }

  /** Lets the worker of a connector's first task report the connector's instance. */
  setInstance(connector: string, instance: InstanceReport): void {
    for (const report of this.#reports.view.values()) {
      if (!report.tasks.some(({ id }) => taskKey(id) === `${connector}-0`)) continue;
      this.#report(
        report.nodeId,
        report.tasks.map((task) => (taskKey(task.id) === `${connector}-0` ? { ...task, instance } : task)),
      );
    }
  }

  failSplitting(name: string, error: string): void {
    const configVersion = this.#state.connectors.get(name)?.configVersion ?? -1;
    this.#append({ kind: 'tasks.failed', name, configVersion, error });
  }

  /** Changes settings of a connector, as another request would. */
  putDirectly(name: string, change: Config): void {
    const existing = this.#state.connectors.get(name);
    if (existing === undefined) throw new Error(`no connector ${name}`);
    const { type, config, targetState } = existing;
    this.#append({ kind: 'connector.put', name, type, config: { ...config, ...change }, targetState });
  }

  /** Takes the tasks of a connector from their workers. */
  free(name: string): void {
    this.#releaseAll(name);
  }

  async submit(body: CommandBody): Promise<CommandOutcome> {
    this.submitted.push(body);
    await this.before?.();
    return this.answer === undefined ? Promise.resolve(this.#carryOut(body)) : this.answer();
  }

  list(): readonly PluginInfo[] {
    return [...this.#plugins.values()].flat().map(({ info }) => info);
  }

  async validate(className: string, sent: Config): Promise<ValidateAnswer> {
    this.questions.push(sent);
    const config = this.#opened(sent);
    if (this.question !== undefined) return this.question();
    const { info, spec } = this.#plugin(className);
    const { errorCount, groups, fields, warnings } = validateConfig(spec, config, { unknownKeys: 'warn' });
    const type = info.kind === 'sink' ? 'sink' : 'source';
    return Promise.resolve({ className: info.name, type, errorCount, groups, fields, warnings });
  }

  async definitions(className: string, version?: string, kind?: string): Promise<readonly FieldDescription[]> {
    if (this.question !== undefined) return this.question();
    return Promise.resolve(describeSpec(this.#plugin(className, version, kind).spec));
  }

  /** As runners do. */
  #opened(sent: Config): Config {
    const open = (setting: string, value: string): string =>
      isSealed(value) ? this.cipher.open(sent['name'] ?? '', setting, value) : value;
    return Object.fromEntries(Object.entries(sent).map(([setting, value]) => [setting, open(setting, value)]));
  }

  #plugin(className: string, version?: string, kind?: string): InMemoryPlugin {
    const plugins = [...this.#plugins.values()].flat();
    const info = findPlugin(
      this.list().filter((each) => (version ?? each.version) === each.version && (kind ?? each.kind) === each.kind),
      className,
    );
    const plugin = plugins.find((each) => each.info === info);
    if (plugin === undefined) throw new ConnectError(ConnectErrorCode.unavailable, `No runner has ${className}`);
    return plugin;
  }

  #carryOut(body: CommandBody): CommandOutcome {
    return isConnectorCommand(body) ? this.#carryOutForConnector(body) : this.#carryOutForCluster(body);
  }

  #carryOutForCluster(body: ClusterCommand): CommandOutcome {
    switch (body.kind) {
      case 'node.drain':
        this.#append({ kind: 'drain.started', nodeId: body.nodeId });
        return { status: 'done' };
      case 'node.undrain':
        this.#append({ kind: 'drain.ended', nodeId: body.nodeId });
        return { status: 'done' };
      case 'settings.put':
        this.#append({ kind: 'settings.changed', settings: body.settings });
        return { status: 'done' };
    }
  }

  #carryOutForConnector(body: ConnectorCommand): CommandOutcome {
    const existing = this.#state.connectors.get(body.name);
    if (body.kind === 'connector.put') {
      if (body.mode === 'create' && existing !== undefined) {
        return { status: 'conflict', message: `Connector ${body.name} already exists` };
      }
      const { name, type, config, expectedVersion, warnings } = body;
      if (expectedVersion !== undefined && existing?.configVersion !== expectedVersion) {
        return { status: 'conflict', message: `Connector ${name} was changed meanwhile` };
      }
      if (existing !== undefined && existing.type !== type) {
        return { status: 'invalid', message: `Connector ${name} is a ${existing.type} and cannot become a ${type}` };
      }
      const targetState = existing?.targetState ?? body.targetState ?? TargetState.running;
      const odd = warnings === undefined ? {} : { warnings };
      this.#append({ kind: 'connector.put', name, type, config, targetState, ...odd });
      if (targetState !== TargetState.stopped) this.split(name);
      return { status: 'done', created: existing === undefined };
    }
    if (existing === undefined) return { status: 'not-found', message: `No connector ${body.name}` };
    switch (body.kind) {
      case 'connector.target':
        this.#append({ kind: 'connector.target', name: body.name, targetState: body.targetState });
        if (body.targetState === TargetState.stopped) this.#releaseAll(body.name);
        return { status: 'done' };
      case 'connector.delete':
        this.#append({ kind: 'connector.deleted', name: body.name });
        this.#releaseAll(body.name);
        return { status: 'done' };
      case 'tasks.restart':
      case 'connector.restart':
        return { status: 'done' };
      case 'pairs.extend':
        this.#append({ kind: 'pairs.extended', connector: body.name, pairs: body.pairs });
        return { status: 'done' };
      default:
        return body satisfies never;
    }
  }

  /** Splits a connector into tasks of its settings, and assigns them. */
  split(name: string): void {
    const connector = this.#state.connectors.get(name);
    if (connector === undefined) return;
    const count = Number(connector.config['tasks.max'] ?? '1');
    const tasks = Array.from({ length: count }, (_, index) => ({ ...connector.config, part: String(index) }));
    this.#append({ kind: 'tasks.configured', name, configVersion: connector.configVersion, tasks });
    this.#releaseAll(name);
    const wanted = connectorClass(connector.config);
    const runner = [...this.#state.members.values()].find((member) => member.plugins.includes(wanted));
    if (runner === undefined) return;
    const { nodeId, incarnation } = runner;
    const ids = tasks.map((_, index) => ({ connector: name, index }));
    this.#append({ kind: 'tasks.assigned', tasks: ids.map((id) => ({ ...id, nodeId, incarnation })) });
    const generation = this.#state.head.seq;
    const running = ids.map((id) => ({ id, generation, state: 'RUNNING', since: 0, committed: false, counters: {} }) as const);
    const others = this.#reports.view.get(memberKey(runner))?.tasks.filter(({ id }) => id.connector !== name) ?? [];
    this.#report(nodeId, [...others, ...running]);
  }

  /** Asks the tasks of a connector to stop; their runner does not answer. */
  revokeTasks(name: string): void {
    this.#append({ kind: 'tasks.revoked', tasks: this.#taskIds(name), reason: 'restarted' });
  }

  #taskIds(name: string): readonly TaskId[] {
    return [...this.#state.tasks.values()].map(({ id }) => id).filter(({ connector }) => connector === name);
  }

  #releaseAll(name: string): void {
    const tasks = this.#taskIds(name);
    if (tasks.length > 0) this.#append({ kind: 'tasks.released', tasks });
  }

  #report(nodeId: string, tasks: readonly TaskReportJson[]): void {
    const member = this.#state.members.get(nodeId);
    if (member === undefined) return;
    const { incarnation, role, capacity } = member;
    const reportSeq = (this.#reports.view.get(memberKey(member))?.reportSeq ?? 0) + 1;
    const plugins = (this.#plugins.get(nodeId) ?? []).map(({ info }) => info);
    const appliedSeq = this.#state.head.seq;
    const report = {
      nodeId,
      incarnation,
      role,
      reportSeq,
      sentAt: 0,
      startedAt: 5,
      http: `${nodeId}:8085`,
      leaving: false,
      capacity,
      plugins,
      appliedSeq,
      tasks,
    };
    this.#reports.take(report);
  }

  #append(event: LogEvent, claim: Pick<LogEntry, 'epoch' | 'claimId'> = this.#state): void {
    const { head } = this.#state;
    const seq = head.seq + 1;
    const { epoch, claimId } = claim;
    const entry: LogEntry = { logId: 'log-1', epoch, claimId, seq, prevDigest: head.digest, at: seq, event };
    const result = foldEntries(this.#state, [{ offset: seq, digest: `d${seq}`, entry }]);
    if (result.skipped.length > 0) throw new Error(`Entry ${event.kind} was skipped: ${JSON.stringify(result.skipped)}`);
    this.#state = result.state;
  }
}
