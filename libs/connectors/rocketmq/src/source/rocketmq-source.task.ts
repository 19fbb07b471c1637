import { parsePosition, partitionOf, type ReadPosition } from '@sluice/replication';
import type { RocketMqClient } from '@sluice/rocketmq';
import {
  type CommittedPosition,
  ConnectError,
  ConnectErrorCode,
  MAX_POSITIONS_PER_CALL,
  queueKey,
  requireTaskConfig,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  type TaskLogger,
} from '@sluice/sdk';
import { openCluster } from '../cluster/cluster-client.js';
import { requireCluster } from '../cluster/cluster-identity.js';
import { REQUEST_TIMEOUT_MS } from '../flow/flow-clusters.js';
import { GroupOffsets } from './group-offsets.js';
import { LossWatch } from './loss-watch.js';
import { MessageCopier } from './message-copier.js';
import { QueueFeed } from './queue-feed.js';
import { linksIn, type QueueLink } from '../flow/queue-links.js';
import { QueueStart } from './queue-start.js';
import { ReadBudget } from './read-budget.js';
import { pullGroupOf, SOURCE_IDENTITY_SETTING, sourceTaskSpec, TARGET_IDENTITY_SETTING } from '../flow/settings.js';

/** The most records that one poll returns. */
const MAX_RECORDS = 4096;
/** How long a poll waits for messages, in milliseconds. */
const POLL_WAIT_MS = 500;
/** The most queues that `waitFor` names. */
const MAX_NAMED = 3;

/** Copies queues of another cluster: reads each in order, ahead of the runtime, and hands out its messages untouched. */
export class RocketMqSourceTask implements SourceTask {
  readonly #feeds: QueueFeed[] = [];
  /** Those that may have something to take, the next one first. */
  readonly #ready = new Set<QueueFeed>();
  readonly #closing = new AbortController();
  #client: RocketMqClient | undefined;
  #offsets: GroupOffsets | undefined;
  #wake: (() => void) | undefined;
  /** A feed waits, waits no longer, or has failed. */
  #hasNews = false;
  #waitFor: SourceTaskContext['waitFor'] = () => undefined;
  #log: TaskLogger | undefined;
  #creating: Promise<void> | undefined;

  async start(context: SourceTaskContext): Promise<void> {
    const settings = requireTaskConfig(context, sourceTaskSpec);
    const links = linksIn(context.config);
    this.#waitFor = (reason) => {
      context.waitFor(reason);
    };
    const warn = (text: string): void => {
      context.warn(text);
    };
    this.#log = context.logger;
    const client = (this.#client ??= openCluster('source.cluster.', context.config, { requestTimeoutMs: REQUEST_TIMEOUT_MS }));
    const source = settings[SOURCE_IDENTITY_SETTING];
    await requireCluster(client, source, { setting: 'source.cluster.url', signal: context.signal });
    const group = pullGroupOf(settings['source.group'], context.connectorName);
    const copier = new MessageCopier({ source, target: settings[TARGET_IDENTITY_SETTING], bornTime: settings['born.time'] });
    const budget = new ReadBudget(settings['read.ahead.max.bytes']);
    const stored = storedPositions(context, source, links);
    const signal = AbortSignal.any([context.signal, this.#closing.signal]);
    const queues = links.map((link) => link.source);
    const losses = new LossWatch(client, queues, signal);
    if (settings['source.group'] !== undefined) this.#offsets = new GroupOffsets({ client, group, log: warn, signal });
    for (const [at, link] of links.entries()) {
      const feed: QueueFeed = new QueueFeed(link, {
        client,
        group,
        copier,
        partition: partitionOf(source, link.source),
        start: new QueueStart({
          client,
          group,
          queue: link.source,
          position: positionOf(link, stored[at]),
          policy: settings['source.change.policy'],
          report: warn,
        }),
        losses,
        budget: budget.part(),
        createGroup: () => this.#createGroup(client, group),
        unreadable: (...of) => context.unreadable(...of),
        passOver: (...of) => context.passOver(...of),
        arrived: () => {
          this.#ready.add(feed);
          this.#wake?.();
        },
        changed: () => {
          this.#hasNews = true;
          this.#wake?.();
        },
        signal,
      });
      this.#feeds.push(feed);
    }
    for (const feed of this.#feeds) feed.begin();
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const records: SourceRecord[] = [];
    this.#take(records);
    if (records.length === 0) {
      await this.#arrival(signal);
      this.#take(records);
    }
    if (this.#hasNews) this.#tellNews(records.length === 0);
    return records;
  }

  commit(positions: readonly CommittedPosition[]): Promise<void> {
    this.#offsets?.note(positions);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#closing.abort(new Error('The task stops'));
    await Promise.all(this.#feeds.map((feed) => feed.close()));
    await this.#offsets?.ended;
    await this.#client?.close();
  }

  /** Creates the group once for all queues that ask for it at a time. An unavailable broker must not keep the others waiting: it is asked again. */
  #createGroup(client: RocketMqClient, group: string): Promise<void> {
    this.#creating ??= client.admin
      .createGroup({ group })
      .catch((error: unknown) => {
        this.#log?.warn(`Consumer group ${group} could not be created on all brokers of the source: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#creating = undefined;
      });
    return this.#creating;
  }

  /** Takes answers of the queues in turn: those that have more go to the end of the line. */
  #take(records: SourceRecord[]): void {
    for (const feed of this.#ready) {
      if (records.length >= MAX_RECORDS) return;
      this.#ready.delete(feed);
      feed.take(records, MAX_RECORDS - records.length);
      if (!feed.isEmpty) this.#ready.add(feed);
    }
  }

  /** Resolves when a queue has something to tell, when the wait is over, or with the signal. */
  async #arrival(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#ready.size > 0 || this.#hasNews) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, POLL_WAIT_MS);
      signal.addEventListener('abort', done);
      this.#wake = done;
    });
  }

  /** Shows which queues wait. Throws what ended the reading of one, once all that was read is handed out. */
  #tellNews(isIdle: boolean): void {
    const failed = this.#feeds.find(({ failure, isEmpty }) => failure !== undefined && isEmpty);
    if (failed?.failure !== undefined) {
      if (isIdle) throw failed.failure.error;
      return;
    }
    this.#hasNews = false;
    const waiting = this.#feeds.flatMap((feed) => feed.waiting ?? []);
    const more = waiting.length > MAX_NAMED ? `; ${waiting.length - MAX_NAMED} more queue(s)` : '';
    this.#waitFor(waiting.length === 0 ? undefined : waiting.slice(0, MAX_NAMED).join('; ') + more);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function storedPositions(context: SourceTaskContext, source: string, links: readonly QueueLink[]): readonly (SourcePosition | undefined)[] {
  const positions: (SourcePosition | undefined)[] = [];
  for (let at = 0; at < links.length; at += MAX_POSITIONS_PER_CALL) {
    const some = links.slice(at, at + MAX_POSITIONS_PER_CALL);
    positions.push(...context.positions(some.map((link) => partitionOf(source, link.source))));
  }
  return positions;
}

function positionOf(link: QueueLink, stored: SourcePosition | undefined): ReadPosition {
  if (stored === undefined) return { offset: link.start };
  const position = parsePosition(stored);
  if (position !== undefined) return position;
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The stored position of queue ${queueKey(link.source)} is ${JSON.stringify(stored)}; expected is what this connector stores, as {"at":"1a.2b.0000000"}`,
  );
}
