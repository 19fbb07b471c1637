import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RocketMqClient } from '@sluice/rocketmq';
import { mergeReports, type Verdict } from '@sluice/connector-verify';
import { type IsolatedCluster, type RoleHandle, SluiceCluster, until } from '../support/sluice-cluster.js';
import { VerifiedFlow } from '../support/verified-flow.js';
import { startAndWait } from './crew.js';
import { droppedBy } from './dropped-records.js';
import type { Figure } from './figure.js';
import { ForeignReader, type ForeignView } from './foreign-reader.js';
import { LineFlow } from './line-flow.js';
import { ranAgain, type TaskSeen } from './ran-again.js';
import { SeededRandom } from './seeded-random.js';

export interface KillsOptions {
  /** How many kills end tasks; kills of threads that have none do not count. */
  readonly kills: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

const ROLES = ['source-runner', 'sink-runner'] as const;
const WAYS = ['process', 'thread'] as const;
const RUNNERS_OF_ROLE = 2;
const PARTITIONS = 4;
/** Of each source task. */
const RATE = 250;
/** More than any run makes: a call ends the load. */
const ENDLESS = 1_000_000_000;
const SEED = 5;
/** How long a killed process stays dead, and how long all run between two kills, in milliseconds. */
const AWAY_MS = { least: 0, most: 3_000 };
const CALM_MS = { least: 200, most: 1_500 };
const LIMIT_MS = 180_000;
/** Whether a thread had a task is known within this time. */
const THREAD_LIMIT_MS = 15_000;
const GROUP = 'foreign';
/** A thread may end many times within minutes, and nobody is to blame: its tasks restart soon, without an end. */
const RESTARTS = { 'restart.max.attempts': '-1', 'restart.backoff.initial.ms': '200', 'restart.backoff.max.ms': '1000' };
const AGAIN = { lines: 'lines-again', numbers: 'numbers-again' } as const;

type Way = (typeof WAYS)[number];

interface Kill {
  readonly way: Way;
  readonly nodeId: string;
  /** From the kill until everything passed that was there before it. */
  readonly passedMs: number;
}

/**
 * Kills runners and single threads of them while a file flows through a topic into a file, and numbered records into the verifier. The figures
 * compare what arrived with what was made. They also compare what a foreign consumer sees twice with what a sink leaves out.
 */
export async function kills(options: KillsOptions): Promise<readonly Figure[]> {
  const cluster = await SluiceCluster.startIsolated();
  const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
  try {
    await client.admin.createGroup({ group: GROUP });
    return await new KillRun(cluster, options).run();
  } finally {
    await client.close();
    await cluster.close();
  }
}

class KillRun {
  readonly #random: SeededRandom;
  readonly #runners: RoleHandle[] = [];
  #restarting: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cluster: IsolatedCluster,
    private readonly options: KillsOptions,
  ) {
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<readonly Figure[]> {
    const reader = await ForeignReader.compile();
    await this.#useKillableRunners();
    const lines = await LineFlow.start(this.cluster, RESTARTS);
    try {
      const numbers = await VerifiedFlow.start(
        this.cluster,
        { name: 'numbers', seed: SEED, ofPartitions: new Array<number>(PARTITIONS).fill(ENDLESS / PARTITIONS) },
        { ...RESTARTS, 'tasks.max': String(PARTITIONS), rate: String(RATE) },
        { ...RESTARTS, 'tasks.max': String(PARTITIONS), 'offset.flush.interval.ms': '1000' },
      );
      await this.#untilPassed(lines, numbers);
      const done: Kill[] = [];
      for (let tries = 0; done.length < this.options.kills; tries += 1) {
        if (tries > this.options.kills * RUNNERS_OF_ROLE + 10) throw new Error(`only ${done.length} of ${tries} kills ended a task`);
        const kill = await this.#kill(done.length, lines, numbers);
        if (kill === undefined) continue;
        done.push(kill);
        this.options.tell(
          `kill ${done.length} of ${this.options.kills}: ${kill.way} of ${kill.nodeId}, passed after ${kill.passedMs.toFixed(0)} ms`,
        );
      }
      return [...killFigures(done), ...(await this.#compare(reader, lines, numbers))];
    } finally {
      await lines.stop();
      await this.#restarting;
    }
  }

  async #useKillableRunners(): Promise<void> {
    const module = fileURLToPath(new URL('../support/killable-runner.js', import.meta.url));
    for (const role of ROLES) {
      for (let index = 1; index <= RUNNERS_OF_ROLE; index += 1) {
        this.#runners.push(
          this.cluster.add(role, `killable-${role}-${index}`, { KILLABLE_ROLE: role, SLUICE_TASK_THREADS: '2' }, [module]),
        );
      }
    }
    await Promise.all(this.#runners.map(startOrThrow));
    for (const role of ROLES) await this.cluster.role(`${role}-1`).kill('SIGTERM');
  }

  /** @returns `undefined` where the thread had no task */
  async #kill(count: number, lines: LineFlow, numbers: VerifiedFlow): Promise<Kill | undefined> {
    await delay(this.#random.between(CALM_MS.least, CALM_MS.most));
    const way = WAYS[count % WAYS.length] ?? 'process';
    const role = ROLES[Math.floor(count / WAYS.length) % ROLES.length] ?? 'source-runner';
    const victim = await this.#victim(role);
    const before = await this.#tasks();
    const killedAt = performance.now();
    if (way === 'process') {
      await victim.kill('SIGKILL');
      this.#restarting = delay(this.#random.between(AWAY_MS.least, AWAY_MS.most)).then(() => startOrThrow(victim));
      // It may fail before anybody waits for it.
      void this.#restarting.catch(() => undefined);
    } else process.kill(victim.pid, 'SIGUSR2');
    const hasEnded = await until(
      `a task of ${victim.id} runs again`,
      async () => ranAgain(before, await this.#tasks(), victim.id),
      way === 'process' ? LIMIT_MS : THREAD_LIMIT_MS,
      () => victim.log.slice(-1500),
    ).catch((error: unknown) => {
      if (way === 'thread') return false;
      throw error;
    });
    await this.#restarting;
    await this.#untilPassed(lines, numbers);
    if (!victim.isRunning) throw new Error(`${victim.id} has ended by itself: ${victim.lastWords}`);
    return hasEnded ? { way, nodeId: victim.id, passedMs: performance.now() - killedAt } : undefined;
  }

  /** One that runs a task. */
  async #victim(role: string): Promise<RoleHandle> {
    return until(
      `a ${role} has a task`,
      async () => {
        const busy = new Set((await this.#tasks()).filter(({ state }) => state === 'RUNNING').map(({ workerId }) => workerId));
        const [victim] = this.#random.shuffled(this.#runners.filter((runner) => runner.role === role && busy.has(runner.id)));
        return victim;
      },
      LIMIT_MS,
    );
  }

  async #tasks(): Promise<readonly TaskSeen[]> {
    const { body } = await this.cluster.request('GET', '/connectors?expand=status');
    const connectors = body as Record<
      string,
      { status: { tasks: { id: number; state: string; worker_id: string; generation?: number }[] } }
    >;
    return Object.entries(connectors).flatMap(([name, { status }]) =>
      status.tasks.map(({ id, state, worker_id: workerId, generation = 0 }) => ({ task: `${name}-${id}`, state, workerId, generation })),
    );
  }

  /** Resolves when everything that was made by now has arrived, at both ends. */
  async #untilPassed(lines: LineFlow, numbers: VerifiedFlow): Promise<void> {
    const { records } = await numbers.verdict();
    await Promise.all([lines.untilPassed(LIMIT_MS), numbers.until(records + RATE * PARTITIONS, LIMIT_MS)]);
  }

  async #compare(reader: ForeignReader, lines: LineFlow, numbers: VerifiedFlow): Promise<readonly Figure[]> {
    const { tell } = this.options;
    await lines.stop();
    await lines.untilPassed(LIMIT_MS);
    const { partitions } = await numbers.verdict();
    const highest = Math.max(...partitions.map(({ last = 0 }) => last));
    const ending = await numbers.endAt((highest + RATE * 8) * PARTITIONS);
    const verdict = await ending.until(ending.records, LIMIT_MS).catch(() => ending.verdict());
    tell('everything has arrived: a foreign consumer reads both topics, and new sinks of Sluice read them again');
    const { namesrv } = this.cluster.rocketmq;
    const seen = {
      lines: await reader.read(namesrv, lines.topic, GROUP, '^line (\\d+)$'),
      numbers: await reader.read(namesrv, this.cluster.topic('numbers'), GROUP, '"partition":(\\d+),"seq":(\\d+),'),
    };
    await lines.readInto(AGAIN.lines, 'again.txt');
    await lines.untilPassed(LIMIT_MS, 'again.txt');
    const again = await this.#readAgain(ending);
    const [first, second] = [await lines.verdict(), await lines.verdict('again.txt')];
    return [
      ...lineFigures('file to file', first),
      ...verdictFigures('generator to verifier', verdict),
      ...lineFigures('file to file, read again', second),
      ...verdictFigures('generator to verifier, read again', again),
      ...(await this.#foreignFigures('lines', seen.lines)),
      ...(await this.#foreignFigures('numbers', seen.numbers)),
    ];
  }

  async #readAgain(flow: VerifiedFlow): Promise<Verdict> {
    const folder = this.cluster.path('again-reports');
    mkdirSync(folder);
    const config = { 'connector.class': 'VerifySink', topics: this.cluster.topic('numbers'), 'report.dir': folder };
    const answer = await this.cluster.request('POST', '/connectors', { name: AGAIN.numbers, config });
    if (answer.status !== 201) throw new Error(`${AGAIN.numbers} is refused: ${JSON.stringify(answer)}`);
    const verdict = (): Promise<Verdict> => mergeReports(folder, flow);
    return until('all is read again', async () => ((await verdict()).records >= flow.records ? verdict() : undefined), LIMIT_MS).catch(
      verdict,
    );
  }

  /** Compares what a sink without kills left out with what the foreign consumer saw twice. */
  async #foreignFigures(topic: keyof typeof AGAIN, { records, twice, others }: ForeignView): Promise<readonly Figure[]> {
    const dropped = await droppedBy(this.cluster, AGAIN[topic]);
    const details = [`${records} records, ${others} other messages`];
    return [
      { name: `${topic}: seen twice by a foreign consumer`, unit: 'count', value: twice, details },
      { name: `${topic}: left out as repeated by a sink`, unit: 'count', value: dropped, details: [] },
      { name: `${topic}: difference of both`, unit: 'count', value: Math.abs(twice - dropped), limit: 0, details },
    ];
  }
}

async function startOrThrow(runner: RoleHandle): Promise<void> {
  if (!(await startAndWait(runner))) throw new Error(`${runner.id} does not start: ${runner.log.slice(-1500)}`);
}

function killFigures(done: readonly Kill[]): readonly Figure[] {
  return WAYS.flatMap((way): Figure[] => {
    const kills = done.filter((kill) => kill.way === way);
    const slowest = [...kills].sort((left, right) => right.passedMs - left.passedMs);
    return [
      { name: `kills of a ${way}`, unit: 'count', value: kills.length, details: [] },
      {
        name: `... longest until all passed that was made before`,
        unit: 'ms',
        value: slowest[0]?.passedMs ?? 0,
        details: slowest.slice(0, 1).map(({ nodeId }) => nodeId),
      },
    ];
  });
}

function lineFigures(flow: string, verdict: Awaited<ReturnType<LineFlow['verdict']>>): readonly Figure[] {
  const { missing, duplicates, outOfOrder, foreign, examples, arrived } = verdict;
  const found = { missing, duplicates, 'out of order or foreign': outOfOrder + foreign };
  const records = [...arrived.values()].reduce((sum, count) => sum + count, 0);
  return countFigures(flow, records, found, examples);
}

function verdictFigures(flow: string, verdict: Verdict): readonly Figure[] {
  const { records, missing, duplicates, keys, outOfOrder, damaged, undecided, untracked } = verdict;
  const found = {
    missing: Math.max(missing, keys.missing),
    duplicates: Math.max(duplicates, keys.duplicates),
    'out of order or damaged': outOfOrder + damaged + undecided + untracked,
  };
  return countFigures(flow, records, found, [JSON.stringify({ ...verdict, arrivalGaps: [] })]);
}

function countFigures(
  flow: string,
  records: number,
  found: Readonly<Record<string, number>>,
  details: readonly string[],
): readonly Figure[] {
  return [
    { name: `${flow}: records`, unit: 'count', value: records, details: [] },
    ...Object.entries(found).map(([what, value]): Figure => ({ name: `${flow}: ${what}`, unit: 'count', value, limit: 0, details })),
  ];
}
