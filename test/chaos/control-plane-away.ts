import { setTimeout as delay } from 'node:timers/promises';
import { startAndWait } from './crew.js';
import type { SluiceCluster } from '../support/sluice-cluster.js';
import type { Figure } from './figure.js';
import { judge } from './judge.js';
import type { LoadOptions } from './load.js';
import { watchedRun } from './watched-run.js';

export interface ControlPlaneAwayOptions {
  readonly load: LoadOptions;
  readonly awayMs: number;
  readonly tell: (line: string) => void;
}

interface Asked {
  readonly what: string;
  readonly ms: number;
  readonly fault: string | undefined;
}

/** The gateway takes a leader for gone after ten seconds of silence, and looks four times a second. */
const REFUSED_WITHIN_MS = 11_000;
const ASK_EVERY_MS = 1000;
const BEFORE_MS = 2000;
const AFTER_MS = 5000;
/** What a read says of its age must be true of a gateway that still reads the log, which it proves every second. */
const MOST_AGE_MS = 5000;

/** All coordinators are killed at once and come back after a while; data flows, reads answer and writes are refused meanwhile. */
export async function controlPlaneAway(
  cluster: SluiceCluster,
  { load, awayMs, tell }: ControlPlaneAwayOptions,
): Promise<readonly Figure[]> {
  const coordinators = cluster.roles.filter(({ role }) => role === 'coordinator');
  const asked: Asked[] = [];
  const observed = await watchedRun(cluster, load, async () => {
    await delay(BEFORE_MS);
    await Promise.all(coordinators.map((handle) => handle.kill('SIGKILL')));
    tell(`${coordinators.length} coordinators are gone for ${awayMs} ms`);
    const goneAt = performance.now();
    // The first one is written before anybody knows that nobody will answer.
    const writing: Promise<void>[] = [];
    for (let round = 0; performance.now() - goneAt < awayMs; round += 1) {
      writing.push(ask(cluster, 'PUT', `/connectors/${load.name}-1-in/resume`, wrongWrite).then((each) => void asked.push(each)));
      for (const path of [`/connectors/${load.name}-1-in/status`, '/connectors?expand=status', '/cluster']) {
        asked.push(await ask(cluster, 'GET', path, wrongRead));
      }
      await delay(Math.max(0, goneAt + (round + 1) * ASK_EVERY_MS - performance.now()));
    }
    await Promise.all(writing);
    await Promise.all(coordinators.map(startAndWait));
    tell('the coordinators are back');
    await delay(AFTER_MS);
    return { faults: [], unaskedEnds: [] };
  });
  const writes = asked.filter(({ what }) => what.startsWith('PUT'));
  const reads = asked.filter(({ what }) => what.startsWith('GET'));
  return [
    { name: 'time without a coordinator', unit: 'ms', value: awayMs, details: [] },
    wrong('reads that did not answer 200 with their age', reads),
    slowest('slowest read', reads),
    wrong('writes that did not answer 503 with the reason', writes),
    slowest('slowest refusal of a write', writes, REFUSED_WITHIN_MS),
    ...judge(observed),
  ];
}

type RestAnswer = Awaited<ReturnType<SluiceCluster['request']>>;

async function ask(
  cluster: SluiceCluster,
  method: string,
  path: string,
  check: (answer: RestAnswer) => string | undefined,
): Promise<Asked> {
  const startedAt = performance.now();
  const answer = await cluster.request(method, path).catch((error: unknown) => error as Error);
  const fault = answer instanceof Error ? answer.message : check(answer);
  return { what: `${method} ${path}`, ms: performance.now() - startedAt, fault };
}

function wrongRead({ status, headers }: RestAnswer): string | undefined {
  const age = headers.get('sluice-model-age-ms');
  const hasAge = age !== null && Number(age) >= 0 && Number(age) <= MOST_AGE_MS;
  return status === 200 && hasAge ? undefined : `answered ${status}, age ${age ?? 'missing'}`;
}

function wrongWrite({ status, body }: RestAnswer): string | undefined {
  const isReasoned = JSON.stringify(body).includes('No coordinator leads: ');
  return status === 503 && isReasoned ? undefined : `answered ${status}: ${JSON.stringify(body)}`;
}

function wrong(name: string, asked: readonly Asked[]): Figure {
  const failed = asked.filter(({ fault }) => fault !== undefined);
  const details = failed.map(({ what, fault }) => `${what}: ${fault ?? ''}`);
  return { name: `${name} (of ${asked.length})`, unit: 'count', value: failed.length, limit: 0, details };
}

function slowest(name: string, asked: readonly Asked[], limit?: number): Figure {
  const value = Math.max(0, ...asked.map(({ ms }) => ms));
  return { name, unit: 'ms', value, ...(limit === undefined ? {} : { limit }), details: [] };
}
