import { retry, withLimit } from '@sluice/time';
import { emptyState, fromFiles } from '@sluice/core';
import { clientIdOf, readerGroupOf, topicsOf, type ClusterTopics } from '@sluice/protocol';
import { isRetriableRocketMqError, RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { LogRewrittenError } from '../log/log-errors.js';
import { LogFollower } from '../log/log-follower.js';
import { ClusterNotInitialisedError, openLog } from '../log/open-log.js';
import { OtherLogError, requireOwnLog } from '../log/own-log.js';
import { expulsionBy, refuseIfInUse } from '../membership/own-membership.js';
import { ReportsChannel } from '../membership/reports-channel.js';
import type { ProcessLogger } from '../logging/process-logger.js';
import type { GivenNodeSettings, NodeSettings } from '../settings/node-settings.js';
import { NodeFile, NodeStore } from '../store/node-store.js';

const retryLimits = { initialMs: 200, maxMs: 5000 } as const;
const HEAD_TIMEOUT_MS = 30_000;
const LOOK_TIMEOUT_MS = 5000;

/** What every role stands on: its settings, its locked directory, the client of the runtime cluster and the folded log. */
export class ClusterNode {
  /** When it was opened; milliseconds since the epoch. */
  readonly startedAt = Date.now();
  #reachedAt: string | undefined;
  #following: Promise<void> = Promise.resolve();
  #failure: ((error: Error) => void) | undefined;
  #firstFailure: Error | undefined;
  #needsKill = false;

  private constructor(
    readonly settings: NodeSettings,
    readonly logger: ProcessLogger,
    readonly store: NodeStore,
    readonly client: RocketMqClient,
    readonly topics: ClusterTopics,
    readonly logQueue: QueueRef,
    readonly follower: LogFollower,
    readonly reports: ReportsChannel,
  ) {}

  get self(): { readonly nodeId: string; readonly incarnation: string } {
    return { nodeId: this.store.nodeId, incarnation: this.store.incarnation };
  }

  /**
   * Locks the node's directory, finds the log and reads all of it. Waits while the runtime cluster cannot be reached.
   *
   * @throws ClusterNotInitialisedError, OtherLogError, LogRewrittenError (the local copy is put aside: the next start reads the log without it),
   * SnapshotMissingError, NodeIdInUseError
   */
  static async open(given: GivenNodeSettings, logger: ProcessLogger, signal: AbortSignal): Promise<ClusterNode> {
    const { storePath, role } = given;
    const store = await (given.nodeId === undefined ? NodeStore.openUnnamed(storePath, role) : NodeStore.open(storePath, given.nodeId));
    const settings: NodeSettings = { ...given, nodeId: store.nodeId };
    const client = RocketMqClient.open({
      namesrv: settings.namesrv,
      credentials: settings.credentials,
      requestTimeoutMs: settings.requestTimeoutMs,
      clientId: clientIdOf(settings.clusterId, store),
    });
    try {
      const topics = topicsOf(settings.clusterId);
      const find = (): Promise<QueueRef> => openLog(client, topics, settings.clusterId, store.log?.broker);
      const logQueue = await untilReachable(find, logger, signal);
      const group = readerGroupOf(settings.clusterId);
      const local = fromFiles(await store.read(NodeFile.connectorConfig), await store.read(NodeFile.taskConfig));
      const follower = new LogFollower(client, logQueue, group, local ?? emptyState(), logger.scoped('log'), {
        self: { nodeId: store.nodeId, incarnation: store.incarnation },
      });
      const reports = new ReportsChannel(client, topics, logQueue.brokerName, group, logger.scoped('reports'));
      const node = new ClusterNode(settings, logger, store, client, topics, logQueue, follower, reports);
      await node.#readLog(signal);
      await refuseIfInUse(follower.state, store, reports, signal);
      follower.subscribe(({ accepted }) => {
        for (const { entry } of accepted) {
          const expelled = expulsionBy(entry.event, store);
          if (expelled !== undefined) node.fail(expelled);
        }
      });
      return node;
    } catch (error) {
      if (error instanceof LogRewrittenError) await putAside(store, logger);
      await client.close();
      await store.close();
      throw error;
    }
  }

  /** Where others reach its HTTP server, as host:port; known once that listens. */
  get http(): string | undefined {
    return this.#reachedAt;
  }

  /** Notes where the node's HTTP server listens: its next reports say so. */
  listensAt(address: string): void {
    this.#reachedAt = address;
  }

  /** Called when the node cannot continue: the process has to end and restart. */
  onFailure(listener: (error: Error) => void): void {
    this.#failure = listener;
  }

  /** Why the node cannot continue; undefined while it can. */
  get failed(): Error | undefined {
    return this.#firstFailure;
  }

  /** Only a signal ends the process: it has a thread that does not end. */
  get needsKill(): boolean {
    return this.#needsKill;
  }

  /** @param needsKill a thread does not end, for which a process that exits would wait */
  fail(error: Error, needsKill = false): void {
    this.#firstFailure ??= error;
    this.#needsKill ||= needsKill;
    this.#failure?.(error);
  }

  async close(): Promise<void> {
    this.follower.close();
    await this.#following;
    await this.client.close();
    await this.store.close();
  }

  async #readLog(signal: AbortSignal): Promise<void> {
    await untilReachable(() => this.#requireOwnLog(signal), this.logger, signal);
    await untilReachable(() => this.follower.begin(signal), this.logger, signal);
    this.#following = this.follower.run().catch(async (error: unknown) => {
      this.fail(error instanceof LogRewrittenError ? await this.#afterRewrite(error) : (error as Error));
    });
    const started = performance.now();
    const proveHead = (limited: AbortSignal): Promise<unknown> => this.follower.proveHead(limited);
    await untilReachable(() => withLimit(signal, HEAD_TIMEOUT_MS, proveHead), this.logger, signal);
    const { head, epoch, connectors, broker } = this.follower.state;
    if (head.seq < 0 || broker !== this.logQueue.brokerName) {
      const found = head.seq < 0 ? 'has no first entry' : `begins on broker ${broker} and is on ${this.logQueue.brokerName}`;
      throw new ClusterNotInitialisedError(`The log ${this.logQueue.topic} ${found}`, this.settings.clusterId);
    }
    await this.store.rememberLog({ clusterId: this.settings.clusterId, logId: this.follower.state.logId, broker });
    this.logger
      .scoped('log')
      .info(
        `Read up to entry ${head.seq} (epoch ${epoch}, ${connectors.size} connectors) in ` +
          `${(performance.now() - started).toFixed(0)} ms`,
      );
  }

  #requireOwnLog(signal: AbortSignal): Promise<void> {
    const { clusterId } = this.settings;
    const { log, directory } = this.store;
    const known = { clusterId, logId: log?.logId, directory };
    return requireOwnLog(this.client, this.logQueue, readerGroupOf(clusterId), known, signal);
  }

  /** Puts the copy of a log whose end was lost aside. That of a log which is gone stays for a restore: the next start says so. */
  async #afterRewrite(rewritten: Error): Promise<Error> {
    try {
      await this.#requireOwnLog(AbortSignal.timeout(LOOK_TIMEOUT_MS));
    } catch (error) {
      return error instanceof OtherLogError ? error : rewritten;
    }
    await putAside(this.store, this.logger);
    return rewritten;
  }
}

async function putAside(store: NodeStore, logger: ProcessLogger): Promise<void> {
  const directory = await store.putAside();
  if (directory !== undefined) logger.scoped('store').warn(`What this node has kept of another log is in ${directory} now`);
}

function untilReachable<T>(action: () => Promise<T>, logger: ProcessLogger, signal: AbortSignal): Promise<T> {
  const onRetry = (error: unknown): void => {
    logger.scoped('start').warn(`RocketMQ cannot be reached yet: ${(error as Error).message}`);
  };
  return retry(action, { limits: retryLimits, signal, mayRetry: isRetriableRocketMqError, onRetry });
}
