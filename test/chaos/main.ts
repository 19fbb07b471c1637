// npm run chaos: real processes on a real RocketMQ, and what becomes of the records when things happen to them.
import { parseArgs } from 'node:util';
import { controlPlaneAway } from './control-plane-away.js';
import { startCrew, type CrewSize } from './crew.js';
import { ALL_CARDS } from './fault-plan.js';
import { figureLines, isMet, type Figure } from './figure.js';
import { kills } from './kills.js';
import { randomFaults } from './random-faults.js';
import { ALL_REPLICATION_FAULTS, replication } from './replication.js';
import { scaleRunners } from './scale-runners.js';

const USAGE = `usage: npm run chaos -- [--scenario NAME] [--minutes N] [--seed N] [--connectors N] [--rate N] [--kills N]

  Starts a cluster of real processes beside a RocketMQ of its own, has numbered records flow through it, and prints what was measured.
  Ends with code 1 if a limit was missed.

  --scenario NAME  random-faults (default), control-plane-away, scale-runners, kills or replication
  --minutes N      how long faults come (default 10), or how long the coordinators are down (default 2)
  --seed N         what happens when to whom (default: by chance); the same seed plans the same faults
  --connectors N   half of them sources, half sinks, with one task each (default 20)
  --rate N         records per second of each source (default 20)
  --kills N        in the scenario kills, of runners and of their threads in turn (default 50); in the scenario replication, kills and
                   pauses of runners and restarts and pauses of both brokers (default 20); each of them has a load of its own`;

interface ChaosOptions {
  readonly minutes: number | undefined;
  readonly seed: number;
  readonly kills: number | undefined;
  readonly load: { readonly pipelines: number; readonly recordsPerSecond: number };
}

const crew: CrewSize = { coordinators: 3, sourceRunners: 3, sinkRunners: 3 };
const MINUTE_MS = 60_000;
const defaultMinutes = { 'random-faults': 10, 'control-plane-away': 2 } as const;

const scenarios: Readonly<Record<string, (options: ChaosOptions) => Promise<readonly Figure[]>>> = {
  'random-faults': ({ minutes = defaultMinutes['random-faults'], seed, load }) =>
    randomFaults({
      crew,
      load,
      plan: {
        seed,
        durationMs: minutes * MINUTE_MS,
        standstillMs: 30_000,
        spacingMs: { least: 9000, most: 20_000 },
        togetherChance: 0.15,
        cards: ALL_CARDS,
      },
      tell,
    }),
  'control-plane-away': ({ minutes = defaultMinutes['control-plane-away'], load }) =>
    onCrew(crew, (cluster) => controlPlaneAway(cluster, { load: { name: 'alone', ...load }, awayMs: minutes * MINUTE_MS, tell })),
  kills: ({ kills: count = 50, seed }) => kills({ kills: count, seed, tell }),
  replication: ({ kills: count = 20, seed }) => replication({ faults: count, kinds: ALL_REPLICATION_FAULTS, seed, tell }),
  'scale-runners': ({ load }) =>
    onCrew({ ...crew, sourceRunners: 1 }, (cluster) => scaleRunners(cluster, { load: { name: 'scaled', ...load }, most: 4, tell })),
};

/** Runs what the arguments say, prints the report, and returns whether every limit was met. */
export async function chaosCommand(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: 'random-faults' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      connectors: { type: 'string', default: '20' },
      rate: { type: 'string', default: '20' },
      kills: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const scenario = scenarios[values.scenario];
  if (values.help || scenario === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return values.help;
  }
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : positive('seed', values.seed);
  const again = `npm run chaos -- --scenario ${values.scenario} --seed ${seed}`;
  tell(`${values.scenario}, seed ${seed}`);
  const figures = await scenario({
    minutes: values.minutes === undefined ? undefined : positive('minutes', values.minutes),
    seed,
    kills: values.kills === undefined ? undefined : positive('kills', values.kills),
    load: {
      pipelines: Math.ceil(positive('connectors', values.connectors) / 2),
      recordsPerSecond: positive('rate', values.rate),
    },
  }).catch((error: unknown) => {
    throw new Error(`the run with seed ${seed} broke off; again: ${again}`, { cause: error });
  });
  for (const line of figureLines(figures)) process.stdout.write(`${line}\n`);
  const missed = figures.filter((figure) => !isMet(figure));
  process.stdout.write(missed.length === 0 ? `every limit is met, seed ${seed}\n` : `${missed.length} missed; again: ${again}\n`);
  return missed.length === 0;
}

async function onCrew(
  size: CrewSize,
  scenario: (cluster: Awaited<ReturnType<typeof startCrew>>) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  const cluster = await startCrew(size);
  try {
    return await scenario(cluster);
  } finally {
    await cluster.close();
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name}: ${text} given; allowed are numbers above 0\n${USAGE}`);
}

function tell(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
