import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type IsolatedCluster, type RoleHandle, SluiceCluster, until } from '../support/sluice-cluster.js';
import { startAndWait } from './crew.js';
import { droppedBy } from './dropped-records.js';
import type { Figure } from './figure.js';
import { flowFigures, judgeFlow, type SiteMessage } from './flow-judge.js';
import { type Answers, FlowSite } from './flow-site.js';
import { SeededRandom } from './seeded-random.js';

/** `kill`: SIGKILL, and a start soon. `pause`: SIGSTOP, and SIGCONT after a while. `restart`: in good order. Site `b` has the runtime too. */
const FAULTS = ['kill runner', 'pause runner', 'restart broker a', 'restart broker b', 'pause broker a', 'pause broker b'] as const;

export type ReplicationFault = (typeof FAULTS)[number];

/** Everything that the chaos run does. */
export const ALL_REPLICATION_FAULTS: readonly ReplicationFault[] = FAULTS;

export interface ReplicationOptions {
  readonly faults: number;
  /** All of them come before one comes again. Without pauses nobody may see a message twice. */
  readonly kinds: readonly ReplicationFault[];
  readonly seed: number;
  readonly tell: (line: string) => void;
}

const TOPIC = 'flow';
const QUEUES = 4;
const RUNNERS = 2;
/** Of the Java producers, between two messages, in milliseconds. */
const PAUSE_MS = 20;
const CALM_MS = { least: 200, most: 1_500 };
const AWAY_MS = { least: 0, most: 3_000 };
/** Longer than the session of a runner: another one takes its tasks. */
const RUNNER_PAUSE_MS = 10_000;
const BROKER_PAUSE_MS = { least: 1_000, most: 8_000 };
const LIMIT_MS = 300_000;
/** A run ends its tasks often within minutes, and nobody is to blame. */
const RESTARTS = { 'restart.max.attempts': '-1', 'restart.backoff.initial.ms': '200', 'restart.backoff.max.ms': '1000' };

/**
 * Has two clusters of equal names copy a topic to each other, while Java producers write at both, and strikes runners and brokers. The
 * figures compare both topics as Java consumers see them, and as new sinks of Sluice do.
 */
export async function replication(options: ReplicationOptions): Promise<readonly Figure[]> {
  const cluster = await SluiceCluster.startIsolated();
  let other: RunningCluster | undefined;
  try {
    const { name, brokerName } = cluster.rocketmq;
    other = await startCluster({
      name,
      dataDir: cluster.path('other'),
      ports: await freePorts(),
      topology: { brokers: [{ name: brokerName }], proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: LIMIT_MS,
    });
    return await new ReplicationRun(cluster, other, options).run();
  } finally {
    await other?.kill();
    await cluster.close();
  }
}

class ReplicationRun {
  readonly #random: SeededRandom;
  readonly #sites: FlowSite[] = [];
  readonly #done: ReplicationFault[] = [];
  #slowest = { ms: 0, fault: 'none' };

  constructor(
    private readonly cluster: IsolatedCluster,
    private readonly other: RunningCluster,
    private readonly options: ReplicationOptions,
  ) {
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<readonly Figure[]> {
    const { tell } = this.options;
    try {
      await Promise.all(this.#runners().map(startAndWait));
      for (const [name, rocketmq] of [
        ['a', this.other],
        ['b', this.cluster.rocketmq],
      ] as const)
        this.#sites.push(await FlowSite.open(name, rocketmq, TOPIC, QUEUES, this.cluster.directory));
      await this.#eachFlow((from, to) => this.#post(`${from.name}-to-${to.name}`, flowConfig(from, to)));
      for (const site of this.#sites) site.startLoad(PAUSE_MS);
      await this.#untilCopied();
      tell('messages of both sites arrive at the other one');
      let deck: ReplicationFault[] = [];
      while (this.#done.length < this.options.faults) {
        if (deck.length === 0) deck = this.#random.shuffled(this.options.kinds);
        const fault = deck.shift();
        if (fault !== undefined) await this.#strike(fault);
      }
      const answers = await Promise.all(this.#sites.map((site) => site.endLoad()));
      await this.#untilCopied();
      return [...this.#faultFigures(), ...(await this.#compare(answers))];
    } catch (error) {
      throw new Error(`after ${this.#done.join(', ')}: ${await this.#state()}`, { cause: error });
    } finally {
      for (const site of this.#sites) await site.close();
    }
  }

  #runners(): readonly RoleHandle[] {
    return Array.from({ length: RUNNERS - 1 }, (_, index) => this.cluster.add('source-runner', `source-runner-${index + 2}`));
  }

  async #eachFlow(act: (from: FlowSite, to: FlowSite) => Promise<void>): Promise<void> {
    const [a, b] = this.#sites;
    if (a === undefined || b === undefined) throw new Error('the sites are not open');
    await act(a, b);
    await act(b, a);
  }

  async #strike(fault: ReplicationFault): Promise<void> {
    await delay(this.#random.between(CALM_MS.least, CALM_MS.most));
    const [kind, target, site] = fault.split(' ');
    const struckAt = performance.now();
    if (target === 'runner') await this.#strikeRunner(kind === 'kill');
    else {
      const { brokers } = site === 'a' ? this.other : this.cluster.rocketmq;
      const [broker] = brokers;
      if (broker === undefined) throw new Error(`site ${site ?? ''} has no broker`);
      if (kind === 'restart') await broker.restart();
      else {
        await broker.pause();
        await delay(this.#random.between(BROKER_PAUSE_MS.least, BROKER_PAUSE_MS.most)).finally(() => broker.resume());
      }
    }
    await this.#untilCopied();
    const ms = performance.now() - struckAt;
    if (ms > this.#slowest.ms) this.#slowest = { ms, fault };
    this.#done.push(fault);
    this.options.tell(`fault ${this.#done.length} of ${this.options.faults}: ${fault}, all was copied after ${ms.toFixed(0)} ms`);
  }

  async #strikeRunner(isKill: boolean): Promise<void> {
    const runner = await this.#busyRunner();
    if (isKill) {
      await runner.kill('SIGKILL');
      await delay(this.#random.between(AWAY_MS.least, AWAY_MS.most));
      await startOrThrow(runner);
      return;
    }
    await runner.kill('SIGSTOP');
    await delay(RUNNER_PAUSE_MS);
    await runner.kill('SIGCONT');
  }

  /** A runner that others have replaced ends itself, as soon as it finds out. A supervisor would start it again. */
  async #startEnded(): Promise<void> {
    for (const role of this.cluster.roles) if (role.hasEndedByItself) await startOrThrow(role);
  }

  /** One that runs a task. */
  #busyRunner(): Promise<RoleHandle> {
    return until(
      'a source runner has a task',
      async () => {
        const { body } = await this.cluster.request('GET', '/connectors?expand=status');
        const connectors = Object.values(body as Record<string, { status: { tasks: { state: string; worker_id: string }[] } }>);
        const tasks = connectors.flatMap(({ status }) => status.tasks);
        const busy = new Set(tasks.filter(({ state }) => state === 'RUNNING').map((task) => task.worker_id));
        return this.#random.shuffled(this.cluster.roles.filter(({ id, role }) => role === 'source-runner' && busy.has(id)))[0];
      },
      LIMIT_MS,
    );
  }

  /** Resolves when what users have sent by now, and something more where they still send, is at the other site. */
  async #untilCopied(): Promise<void> {
    await this.#eachFlow(async (from, to) => {
      const goal = Math.max(1, from.counts.locals);
      await until(
        `${goal} messages of ${from.name} are at ${to.name}`,
        async () => {
          await this.#startEnded();
          return to.counts.copies >= goal;
        },
        LIMIT_MS,
        () => `${to.counts.copies} are`,
      );
    });
  }

  async #compare(answers: readonly Answers[]): Promise<readonly Figure[]> {
    const read = await this.#readBoth();
    this.options.tell('everything has arrived: new sinks of Sluice read both topics');
    const mayComeTwice = this.#done.some((fault) => fault.startsWith('pause'));
    const figures: Figure[] = [];
    for (const [at, site] of this.#sites.entries()) {
      const [here, there] = [read[at] ?? [], read[1 - at] ?? []];
      const from = this.#sites[1 - at]?.name ?? '';
      const sent = there.filter(({ isCopy }) => !isCopy);
      const verdict = judgeFlow(
        sent,
        here.filter(({ isCopy }) => isCopy),
      );
      const own = here.filter(({ isCopy }) => !isCopy);
      figures.push(...flowFigures(`${from} to ${site.name}`, verdict, mayComeTwice));
      figures.push(...answerFigures(site.name, answers[at], own));
      figures.push(...(await this.#sinkFigures(site, here.length, verdict.twice, { [from]: sent, [site.name]: own })));
    }
    return figures;
  }

  /** Reads both topics until each has copies of all that the other has, or for a while. */
  async #readBoth(): Promise<readonly (readonly SiteMessage[])[]> {
    let read: readonly (readonly SiteMessage[])[] = [];
    const numbers = (messages: readonly SiteMessage[], isCopy: boolean): ReadonlySet<number> =>
      new Set(messages.filter((message) => message.isCopy === isCopy).map(({ number }) => number));
    await until(
      'both sites are complete',
      async () => {
        read = await Promise.all(this.#sites.map((site) => site.read()));
        const [a = [], b = []] = read;
        return numbers(b, true).size >= numbers(a, false).size && numbers(a, true).size >= numbers(b, false).size;
      },
      LIMIT_MS,
    ).catch((error: unknown) => {
      // The figures say what is missing.
      if (read.length === 0) throw error;
    });
    return read;
  }

  async #sinkFigures(
    site: FlowSite,
    stored: number,
    twice: number,
    expected: Readonly<Record<string, readonly SiteMessage[]>>,
  ): Promise<readonly Figure[]> {
    const connector = `read-${site.name}`;
    const file = this.cluster.path(`${connector}.txt`);
    await this.#post(connector, {
      'connector.class': 'FileStreamSink',
      'data.cluster.url': site.url,
      topics: TOPIC,
      file,
      'value.converter': 'String',
    });
    const lines = async (): Promise<readonly string[]> =>
      (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    let seen = '';
    const dropped = await until(
      `${connector} has read ${stored} messages`,
      async () => {
        const [written, left] = [(await lines()).length, await droppedBy(this.cluster, connector)];
        seen = `${written} written, ${left} left out`;
        return written + left >= stored && { left };
      },
      LIMIT_MS,
      () => seen,
    );
    const written = (await lines()).map((line) => line.split(' '));
    const figures = Object.entries(expected).flatMap(([name, sent]) => {
      const copies = written.filter(([origin]) => origin === name).map(([, number]) => ({ queue: file, number: Number(number) }));
      return flowFigures(`${connector}, messages of ${name}`, judgeFlow(sent, copies, false), false);
    });
    const difference = Math.abs(twice - dropped.left);
    return [
      ...figures,
      { name: `${connector}: left out as repeated`, unit: 'count', value: dropped.left, details: [] },
      { name: `${connector}: difference to what Java sees twice`, unit: 'count', value: difference, limit: 0, details: [] },
    ];
  }

  #faultFigures(): readonly Figure[] {
    const counts = FAULTS.map((kind): Figure => {
      return { name: kind, unit: 'count', value: this.#done.filter((fault) => fault === kind).length, details: [] };
    });
    const { ms, fault } = this.#slowest;
    return [...counts, { name: 'longest until all was copied after a fault', unit: 'ms', value: ms, details: [fault] }];
  }

  async #post(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const answer = await this.cluster.request('POST', '/connectors', { name, config: { ...RESTARTS, ...config } });
    if (answer.status !== 201) throw new Error(`${name} is refused: ${JSON.stringify(answer)}`);
  }

  async #state(): Promise<string> {
    const status = await this.cluster.request('GET', '/connectors?expand=status').catch(() => undefined);
    const logs = this.cluster.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-2000)}`);
    return `${JSON.stringify(status?.body)}${logs.join('')}`;
  }
}

function flowConfig(from: FlowSite, to: FlowSite): Readonly<Record<string, string>> {
  return {
    'connector.class': 'RocketMQSource',
    'source.cluster.url': from.url,
    'data.cluster.url': to.url,
    topics: TOPIC,
    'tasks.max': '2',
  };
}

/** Answers to the Java producers have to be true: a flow is not to be judged by a site that loses messages itself. */
function answerFigures(site: string, answers: Answers | undefined, own: readonly SiteMessage[]): readonly Figure[] {
  const there = new Set(own.map(({ number }) => number));
  const { acknowledged = [], rolledBack = [] } = answers ?? {};
  const lost = acknowledged.filter((number) => !there.has(number));
  const kept = rolledBack.filter((number) => there.has(number));
  const details = (numbers: readonly number[]): readonly string[] => numbers.slice(0, 5).map(String);
  return [
    { name: `${site}: acknowledged to Java producers`, unit: 'count', value: acknowledged.length, details: [] },
    { name: `${site}: ... of which the site has none`, unit: 'count', value: lost.length, limit: 0, details: details(lost) },
    { name: `${site}: rolled back, and visible`, unit: 'count', value: kept.length, limit: 0, details: details(kept) },
  ];
}

async function startOrThrow(role: RoleHandle): Promise<void> {
  if (!(await startAndWait(role))) throw new Error(`${role.id} does not start: ${role.log.slice(-1500)}`);
}
