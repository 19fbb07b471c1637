import { describeAction, keyOf, type Remembered, type SyncAction, withdrawsWrite } from '@sluice/replication';
import { isRocketMqError } from '@sluice/rocketmq';
import { pause } from '@sluice/time';
import type { FlowClusters } from '../flow/flow-clusters.js';
import type { InstancePart, InstancePartContext } from '../instance/instance-part.js';
import { applyAction } from './apply-action.js';
import { explain, provenBrokers, readCluster, type ClusterView } from './cluster-view.js';
import { isAllCopied } from './copied-queues.js';
import { FlowOrigins, originsAt } from './flow-origins.js';
import { SyncJournal, type SyncStatus } from './sync-journal.js';
import { type FoundMemory, memoryTopic, type Origins, readMemory, type SyncPart, writeMemory } from './sync-memory.js';
import { decideRound, type Decided } from './sync-round.js';
import { readSyncSettings, type SyncSettings } from './sync-settings.js';

/** Rounds of two flows that lead back to each other do not keep step. */
const JITTER = 0.1;
/** A flow shows that it is there, also where nothing changes. */
const SIGN_MS = 60_000;
/** After so many rounds the flow that leads back does not carry a change any more. */
const LEFT_ROUNDS = 6;
/** Things that are changed at the same time. */
const CONCURRENCY = 8;

/**
 * Keeps topics, consumer groups and access rules of the target like those of the source, as long as the flow runs. Brokers that do not answer are
 * named and asked again in the next round; an action that fails stops no other one.
 */
export class ConfigSync implements InstancePart {
  readonly #stop = new AbortController();
  readonly #memory = new Map<string, Remembered>();
  /** Differences that were left, with the number of rounds in which they were the same. */
  #leftRounds: ReadonlyMap<string, { readonly what: string; readonly rounds: number }> = new Map();
  #journal: SyncJournal | undefined;
  #running: Promise<void> | undefined;
  /** False until the target has said what the flow remembers: until then nothing that it holds is overwritten. */
  #isMemoryRead = false;
  #isMemoryChanged = false;
  #written: { readonly at: number; readonly origins: string } | undefined;

  /** @throws {ConfigError} */
  start(context: InstancePartContext, clusters: FlowClusters): Promise<void> {
    const { connectorName, config, logger } = context.connector;
    const settings = readSyncSettings(`Configuration of connector ${connectorName}`, config);
    this.#journal = new SyncJournal(logger);
    if (!settings.areTopicsSynced && !settings.areGroupsSynced && !settings.isAclSynced) return Promise.resolve();
    const signal = AbortSignal.any([context.signal, this.#stop.signal]);
    const origins = new FlowOrigins(clusters.source.client);
    this.#running = this.#run({ context, clusters, settings, origins, journal: this.#journal, signal });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** What the sync has done and what it could not do; undefined before its start. */
  status(): SyncStatus | undefined {
    return this.#journal?.status();
  }

  async #run(flow: Flow): Promise<void> {
    const { settings, journal, signal } = flow;
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      journal.begin();
      try {
        await this.#round(flow);
        journal.roundEnded(true);
      } catch (error) {
        if (isOver()) return;
        journal.failed('comparison of both clusters', (error as Error).message);
        journal.roundEnded(false);
      }
      await pause(settings.intervalMs * (1 - JITTER + 2 * JITTER * Math.random()), signal);
    }
  }

  async #round(flow: Flow): Promise<void> {
    const { clusters, settings, origins, journal, signal } = flow;
    await this.#readMemory(flow);
    // Two flows that begin at once: each shows itself before it looks, so one of them sees the other before it changes anything.
    if (this.#written === undefined) await this.#writeMemory(flow, undefined);
    const known = await origins.read(signal);
    const [source, target] = await Promise.all([
      readCluster(clusters.source.client, settings, signal),
      readCluster(clusters.target.client, settings, signal),
    ]);
    // After the look: what a broker lacked while it had the identity was deleted there.
    const proven = await provenBrokers(clusters.source, signal);
    for (const [what, why] of problemsOf(source, target, known)) journal.problem(what, why);
    const decided = decideRound({
      settings,
      source,
      target,
      topics: flow.context.topics(),
      memory: this.#memory,
      proven,
      origins: known,
      sourceIdentity: clusters.source.identity,
      targetIdentity: clusters.target.identity,
      isLeftLong: (key) => (this.#leftRounds.get(key)?.rounds ?? 0) >= LEFT_ROUNDS,
    });
    this.#countLeft(decided);
    const queue = decided.values();
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (const one of queue) await this.#carryOut(flow, one);
      }),
    );
    this.#forget(decided, source.problems.size + target.problems.size === 0);
    await this.#writeMemory(flow, known);
  }

  async #carryOut(flow: Flow, { difference, decision }: Decided): Promise<void> {
    const { journal, settings, signal } = flow;
    const key = keyOf(difference);
    if (decision.left !== undefined) journal.left(key, decision.left);
    for (const note of difference.notes) journal.noted(key, note);
    if (decision.isAgreed) this.#agree(key, difference);
    const failedBrokers = new Set<string | undefined>();
    for (const action of decision.actions) {
      const line = describeAction(action);
      if (settings.isDryRun) {
        journal.planned(line);
        continue;
      }
      // Rules need their user: what failed on a broker is begun again there in the next round.
      if (failedBrokers.has(action.broker)) continue;
      const wait = await waitsFor(flow, difference.from, action);
      if (wait !== undefined) {
        journal.left(key, wait);
        continue;
      }
      try {
        await applyAction(flow.clusters.target.client, action, signal);
        journal.applied(line);
        this.#made(key, difference, action);
      } catch (error) {
        signal.throwIfAborted();
        if (!isRocketMqError(error)) throw error;
        failedBrokers.add(action.broker);
        journal.failed(line, explain(action.kind.replace('-', ' '), error));
      }
    }
  }

  #agree(key: string, { from, source, target, sourceBrokers }: Decided['difference']): void {
    const before = this.#memory.get(key);
    if (source === undefined || target === undefined) return;
    const next = { from, source, target, made: before?.made ?? [], brokers: sourceBrokers };
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(next)) return;
    this.#memory.set(key, next);
    this.#isMemoryChanged = true;
  }

  #made(key: string, { from, sourceBrokers }: Decided['difference'], { makes = [], unmakes = [] }: SyncAction): void {
    if (makes.length + unmakes.length === 0) return;
    const before = this.#memory.get(key);
    const made = [...new Set([...(before?.made ?? []), ...makes])].filter((part) => !unmakes.includes(part)).sort();
    this.#memory.set(key, { from, brokers: sourceBrokers, ...before, made });
    this.#isMemoryChanged = true;
  }

  #countLeft(decided: readonly Decided[]): void {
    const before = this.#leftRounds;
    this.#leftRounds = new Map(
      decided.flatMap(({ difference, decision }) => {
        if (decision.left === undefined) return [];
        const key = keyOf(difference);
        const what = `${difference.source ?? ''} ${difference.target ?? ''}`;
        const last = before.get(key);
        return [[key, { what, rounds: last?.what === what ? last.rounds + 1 : 1 }]];
      }),
    );
  }

  /** Forgets what is on neither side any more, and what is not compared any more unless the flow has made it. */
  #forget(decided: readonly Decided[], isWhole: boolean): void {
    const compared = new Set(decided.map(({ difference }) => keyOf(difference)));
    const gone = decided.filter(({ difference }) => difference.source === undefined && difference.target === undefined);
    for (const { difference } of gone) this.#drop(keyOf(difference));
    if (!isWhole) return;
    for (const [key, { made }] of this.#memory) if (made.length === 0 && !compared.has(key)) this.#drop(key);
  }

  #drop(key: string): void {
    if (this.#memory.delete(key)) this.#isMemoryChanged = true;
  }

  async #readMemory({ context, clusters, journal, signal }: Flow): Promise<void> {
    if (this.#isMemoryRead) return;
    const topic = memoryTopic(clusters.source.identity, context.connector.connectorName);
    let found: FoundMemory | undefined;
    try {
      found = await readMemory(clusters.target.client, topic, signal);
    } catch (error) {
      if (!isRocketMqError(error) || signal.aborted) throw error;
      journal.failed(`what this connector has made, in topic ${topic} of the target`, explain('read it', error));
      return;
    }
    this.#isMemoryRead = true;
    for (const [key, thing] of found?.memory.things ?? []) if (!this.#memory.has(key)) this.#memory.set(key, thing);
  }

  async #writeMemory({ context, clusters, settings, journal, signal }: Flow, known: Origins | undefined): Promise<void> {
    const { connectorName: connector, generation } = context.connector;
    const topic = memoryTopic(clusters.source.identity, connector);
    const origins = originsAt(clusters.source.identity, partsOf(settings), known);
    const text = JSON.stringify(origins);
    const isOld = performance.now() - (this.#written?.at ?? 0) >= SIGN_MS;
    const isDue = this.#written?.origins !== text || this.#isMemoryChanged || isOld;
    if (settings.isDryRun || !this.#isMemoryRead || !isDue) return;
    try {
      await writeMemory(clusters.target.client, topic, { connector, generation, origins, things: this.#memory }, signal);
      this.#isMemoryChanged = false;
      this.#written = { at: performance.now(), origins: text };
    } catch (error) {
      if (!isRocketMqError(error) || signal.aborted) throw error;
      journal.failed(`what this connector has made, in topic ${topic} of the target`, explain('write it', error));
    }
  }
}

interface Flow {
  readonly context: InstancePartContext;
  readonly clusters: FlowClusters;
  readonly settings: SyncSettings;
  readonly origins: FlowOrigins;
  readonly journal: SyncJournal;
  readonly signal: AbortSignal;
}

function problemsOf(source: ClusterView, target: ClusterView, origins: Origins | undefined): ReadonlyMap<string, string> {
  return new Map([
    ...[...source.problems].map(([part, text]) => [`${part} at the source`, text] as const),
    ...[...target.problems].map(([part, text]) => [`${part} at the target`, text] as const),
    ...(origins === undefined ? [['flows into the source', 'cannot be read; they are taken to lead back from the target'] as const] : []),
  ]);
}

function partsOf(settings: SyncSettings): ReadonlySet<SyncPart> {
  return new Set([
    ...(settings.areTopicsSynced ? (['topics'] as const) : []),
    ...(settings.areGroupsSynced ? (['groups'] as const) : []),
    ...(settings.isAclSynced ? (['acl'] as const) : []),
  ]);
}

/** Why an action has to wait; undefined where it need not. */
async function waitsFor({ context, clusters, signal }: Flow, topic: string, action: SyncAction): Promise<string | undefined> {
  if (!withdrawsWrite(action)) return undefined;
  const text = 'the target stays writable until all messages are known to be copied';
  try {
    const clients = { source: clusters.source.client, target: clusters.target.client };
    return (await isAllCopied(clients, topic, context.queues(), signal)) ? undefined : text;
  } catch (error) {
    if (!isRocketMqError(error) || signal.aborted) throw error;
    return `${text}: ${error.message}`;
  }
}
