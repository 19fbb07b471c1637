import { setMaxListeners } from 'node:events';
import { taskId } from '@sluice/protocol';
import type { SourcePartition, SourcePosition, SourceRecord } from '@sluice/sdk';
import type { LoopEnd } from '../task/loop-end.js';
import { PauseSwitch } from '../task/pause-switch.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { RateLimitedLogger } from '../task/rate-limited-logger.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { unlessAborted } from '../retry/unless-aborted.js';
import { WakeUp } from '../task/wake-up.js';
import { laneServices } from './lane-services.js';
import { PartitionTable } from './partition-table.js';
import { PositionCommits } from './task-commits.js';
import { keepPositionsStored } from './position-flush-schedule.js';
import { PositionWriter } from './position-writer.js';
import type { LaneContext, QueueLane } from './queue-lane.js';
import { RecordIntake } from './record-intake.js';
import type { SourceLoopPorts, SourceLoopSpec } from './source-loop-options.js';
import { takeOverPositions } from './take-over-positions.js';
import { describeStop, WritableQueues, type QueueStop } from './writable-queues.js';

/** Part of the shutdown timeout that may pass before the last positions are written. */
const drainShare = 0.6;

/**
 * Runs one source task: poll, convert, send in batches, store positions, commit.
 *
 * - Records of a queue are sent in order; a position counts only when everything before it is acknowledged.
 * - Before the task starts, the loop finds out what earlier generations left in the queues and starts it there.
 * - Without the lease nothing is polled, sent, stored or committed.
 */
export class SourceTaskLoop {
  /** Resolves when the loop has ended, whatever the reason. Never rejects. */
  readonly ended: Promise<LoopEnd>;
  private resolveEnded: (end: LoopEnd) => void = () => undefined;
  /** Aborted when nothing is polled any more. */
  private readonly stopping = new AbortController();
  /** Aborted when nothing is sent or stored any more. */
  private readonly killed = new AbortController();
  private readonly wakeUp = new WakeUp();
  private readonly writer: PositionWriter;
  private readonly partitions: PartitionTable;
  private readonly intake: RecordIntake;
  private readonly commits: PositionCommits;
  private failure: { readonly error: unknown } | undefined;
  private readonly pausing = new PauseSwitch();
  private readonly queues: WritableQueues;
  private isTaskStarted = false;
  /** The partitions are known: positions may be written. */
  private isRecovered = false;

  constructor(
    private readonly spec: SourceLoopSpec,
    private readonly ports: SourceLoopPorts,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    // Every batch that is being sent listens.
    setMaxListeners(0, this.stopping.signal, this.killed.signal);
    const { connector, index, generation, settings, counters, warnings } = spec;
    const { maxUnavailableMs } = settings;
    this.queues = new WritableQueues({ ...ports, warnings, maxUnavailableMs, maxRetryDelayMs: settings.backoff.maxMs });
    const { clock, lease, producer } = ports;
    const warn = (message: string): void => {
      spec.logger.warn(message);
    };
    const { waits } = spec;
    const { queues } = this;
    const shared = {
      clock,
      lease,
      counters,
      backoff: settings.backoff,
      signal: this.killed.signal,
      warn,
      waits,
      queues,
    };
    const self = { index, generation };
    const task = taskId(connector, index);
    const laneContext: LaneContext = {
      ...shared,
      producer,
      maxBatchBytes: settings.maxBatchBytes,
      ...laneServices({ ...shared, ...ports }, { task, generation }, () => this.partitions.lanes()),
      storeRoutes: (lane, batch) => this.storeRoutes(lane, batch.segments),
      move: (lane, stop, isUncertain) => {
        this.move(lane, stop, isUncertain);
      },
      acknowledged: (_lane, batch) => {
        for (const { partition } of batch.segments) if (partition.settle()) this.writer.markDirty(partition);
        this.wakeUp.wake();
      },
      failed: (error) => {
        this.fail(error);
      },
    };
    this.partitions = new PartitionTable({ connector, task: self, laneContext });
    this.writer = new PositionWriter({
      ...shared,
      store: ports.positions,
      task: { connector, index, generation },
      partitions: () => this.partitions.all(),
      lanes: () => this.partitions.lanes(),
      settled: (lane) => {
        this.partitions.forget(lane);
      },
      written: (positions) => {
        for (const position of positions) this.commits.add(position);
        this.wakeUp.wake();
      },
    });
    this.commits = new PositionCommits({
      ...shared,
      task: spec.task,
      policy: () => ({ limits: settings.backoff, timeoutMs: settings.retryTimeoutMs, ...this.retried('commit') }),
    });
    const skips = new RateLimitedLogger(clock, warn, this.killed.signal);
    this.intake = new RecordIntake(spec, this.partitions, this.writer, skips);
  }

  get counters(): TaskCounters {
    return this.spec.counters;
  }

  /**
   * Recovers the positions and starts the task; resolves when it is polled. Rejects with the reason when it cannot start: the task is
   * stopped then and `ended` resolves.
   */
  async start(): Promise<void> {
    const { task, connector, index, generation, config, logger } = this.spec;
    try {
      await this.recover();
      this.stopping.signal.throwIfAborted();
      await this.ports.lease.whenHeld(this.stopping.signal);
      this.isTaskStarted = true;
      await task.start({
        connectorName: connector,
        taskIndex: index,
        generation,
        config,
        logger,
        signal: this.stopping.signal,
        warn: this.spec.warnings.add,
        skipRecord: this.intake.skipUnpolled,
        requestTaskReconfiguration: this.spec.requestTaskReconfiguration,
        position: (partition) => this.lookUp(partition),
      });
    } catch (error) {
      await this.end(this.stopping.signal.aborted ? this.failure : { error });
      throw error;
    }
    void this.flushRegularly();
    void this.run();
  }

  /** Stops polling; what is on its way is still sent and its positions stored, until the shutdown timeout. */
  stop(): Promise<LoopEnd> {
    this.stopping.abort(new Error('The task was asked to stop'));
    this.wakeUp.wake();
    return this.ended;
  }

  /** Gives up at once: nothing more is sent or stored. */
  kill(): void {
    this.killed.abort(new Error('The task was given up'));
    void this.stop();
  }

  /** Polls nothing more; calls `onStill` once what was polled is sent and its positions are stored. */
  pause(onStill: () => void): void {
    this.pausing.pause(onStill);
    this.wakeUp.wake();
  }

  resume(): void {
    this.pausing.resume();
    this.wakeUp.wake();
  }

  private async recover(): Promise<void> {
    const { connector, index, generation, settings, counters, logger } = this.spec;
    const { free, held } = await takeOverPositions({
      ...this.ports,
      task: { connector, index, generation },
      backoff: settings.backoff,
      // Nothing of ours is in flight yet: a stop may interrupt anything.
      signal: this.stopping.signal,
      waits: this.spec.waits,
      queues: this.queues,
      warn: (message) => {
        logger.warn(message);
      },
      incomplete: (message) => {
        counters.incompleteScans++;
        logger.error(message);
      },
    });
    this.partitions.load(free, held);
    this.isRecovered = true;
  }

  /** What an earlier generation stored it may not have committed: it is committed again. */
  private lookUp(partition: SourcePartition): SourcePosition | undefined {
    const { position, isFree } = this.partitions.lookUp(partition);
    if (position !== undefined && isFree) this.commits.add({ partition, position });
    return position;
  }

  private async run(): Promise<void> {
    try {
      await this.pollUntilStopped();
    } catch (error) {
      this.failure ??= { error };
      this.stopping.abort(error);
    }
    await this.end(this.failure);
  }

  private async pollUntilStopped(): Promise<void> {
    const { clock, lease } = this.ports;
    const { settings, counters, task } = this.spec;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.commits.run();
      if (this.pausing.isPaused || this.intake.isFull) {
        if (this.pausing.isPaused && this.isStill) this.pausing.tellStill();
        await this.wakeUp.wait();
        continue;
      }
      if (!lease.held) {
        await unlessAborted(lease.whenHeld(signal), signal);
        continue;
      }
      const policy = {
        clock,
        limits: settings.backoff,
        timeoutMs: settings.retryTimeoutMs,
        ...this.retried('poll'),
      };
      const records = await unlessAborted(
        retrying(policy, signal, () => task.poll(signal)),
        signal,
      );
      if (records !== undefined && records.length > 0) {
        counters.recordsPolled += records.length;
        await this.accept(records);
      }
      await clock.yieldToIo();
    }
  }

  /** Everything that was polled is sent, stored and committed. */
  private get isStill(): boolean {
    return this.partitions.idle && this.writer.isIdle && this.commits.isEmpty;
  }

  private async accept(records: readonly SourceRecord[]): Promise<void> {
    for (let next = 0; next < records.length && !this.stopping.signal.aborted;) {
      const stop = this.intake.append(records, next);
      next = stop.next;
      if (stop.kind === 'unknown-topic') await this.loadQueues(stop.topic);
      else if (stop.kind === 'full') await this.wakeUp.wait();
    }
  }

  private async loadQueues(topic: string): Promise<void> {
    const { clock } = this.ports;
    const { signal } = this.stopping;
    const policy = {
      clock,
      limits: this.spec.settings.backoff,
      ...this.retried(`asking for the queues of topic ${topic}`),
    };
    const queues = await unlessAborted(
      retrying(policy, signal, () => this.queues.of(topic, this.partitions.lastQueuesOf(topic))),
      signal,
    );
    if (queues !== undefined) this.partitions.setQueues(topic, queues);
  }

  private move(lane: QueueLane, stop: QueueStop, isUncertain: boolean): void {
    const { to, moved } = this.partitions.moveLane(lane, stop.others);
    for (const partition of moved) this.writer.markDirty(partition);
    this.spec.warnings.add(
      `${describeStop(stop)}: ${moved.length} partition(s) of it go to queue ${to.key} from now on.` +
        (isUncertain
          ? ' It may have the records that were being sent: they are sent again, and may be there twice.'
          : ''),
    );
  }

  private async storeRoutes(
    lane: QueueLane,
    segments: readonly { readonly partition: { readonly areRoutesStored: boolean } }[],
  ): Promise<void> {
    const isStored = (): boolean => lane.scanIsStored && segments.every(({ partition }) => partition.areRoutesStored);
    while (!isStored()) await this.writer.flush().then(() => this.ports.clock.yieldToIo());
  }

  private async flushRegularly(): Promise<void> {
    const { clock } = this.ports;
    const { writer, partitions } = this;
    const { flushIntervalMs, rewriteIntervalMs } = this.spec.settings;
    try {
      await keepPositionsStored({
        clock,
        writer,
        partitions,
        flushIntervalMs,
        rewriteIntervalMs,
        signal: this.killed.signal,
        refreshOthers: () => this.refresh(rewriteIntervalMs),
        flushed: () => {
          if (this.pausing.isPaused) this.wakeUp.wake();
        },
      });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Keeps what no running task of the connector writes from being taken by retention. */
  private async refresh(rewriteIntervalMs: number): Promise<void> {
    const { connector, index, generation, settings } = this.spec;
    const { clock, lease, positions } = this.ports;
    const { signal } = this.killed;
    const policy = { clock, limits: settings.backoff, ...this.retried('writing old positions again') };
    await retrying(policy, signal, async () => {
      await lease.whenHeld(signal);
      await positions.refresh({ connector, index, generation }, clock.wallMs() - 2 * rewriteIntervalMs);
    });
  }

  private fail(error: unknown): void {
    if (this.killed.signal.aborted) return;
    this.failure ??= { error };
    this.stopping.abort(error);
    this.killed.abort(error);
    this.wakeUp.wake();
  }

  private async end(failure: { readonly error: unknown } | undefined): Promise<void> {
    const { logger, task } = this.spec;
    let clean = false;
    let problem = failure;
    try {
      const isDrained = await this.drain();
      if (this.isRecovered && this.mayWrite()) {
        await (isDrained ? this.writer.writeAll(true) : this.writer.flush());
        clean = isDrained;
        await this.commits.run();
      }
    } catch (error) {
      problem ??= this.failure ?? { error };
    }
    problem ??= this.failure;
    this.killed.abort(new Error('The task has ended'));
    try {
      if (this.isTaskStarted) await task.stop();
    } catch (error) {
      logger.warn(`The task's stop failed: ${String(error)}`);
    }
    this.resolveEnded(
      problem === undefined ? { kind: 'stopped', clean } : { kind: 'failed', error: problem.error, clean },
    );
  }

  /** Waits until everything accepted is acknowledged. Returns false when that cannot be had in time. */
  private async drain(): Promise<boolean> {
    const budgetMs = this.spec.settings.shutdownTimeoutMs * drainShare;
    const timer = new AbortController();
    const late = this.ports.clock.sleep(budgetMs, timer.signal).then(
      () => {
        timer.abort();
        this.wakeUp.wake();
      },
      () => undefined,
    );
    while (!this.partitions.idle && !timer.signal.aborted && this.mayWrite()) await this.wakeUp.wait();
    timer.abort(new Error('No longer waited for'));
    await late;
    return this.partitions.idle;
  }

  private mayWrite(): boolean {
    return this.ports.lease.held && !this.killed.signal.aborted;
  }

  private retried(call: string): Pick<RetryPolicy, 'waiting' | 'onRetry'> {
    return {
      waiting: this.spec.waits.begin(call),
      onRetry: (error, attempt) => {
        this.spec.logger.warn(`Try ${attempt} of ${call} failed and is retried: ${String(error)}`);
      },
    };
  }
}
