import { setMaxListeners } from 'node:events';
import { queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import type { LoopEnd } from '../task/loop-end.js';
import { PauseSwitch } from '../task/pause-switch.js';
import type { OffsetReset } from '../ports/offset-store.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { RateLimitedLogger } from '../task/rate-limited-logger.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { WaitingCall } from '../retry/task-waits.js';
import { UnreadableQueues } from '../task/unreadable-queues.js';
import { WakeUp } from '../task/wake-up.js';
import { GroupOffsets } from './group-offsets.js';
import { prepareStart } from './prepare-start.js';
import { conversionError, MessageConversionFailure } from './queue-intake.js';
import { QueueSet } from './queue-set.js';
import { QueueWatch } from './queue-watch.js';
import type { SinkLoopPorts, SinkLoopSettings, SinkLoopSpec } from './sink-loop-options.js';
import { describeStart, startPositions } from './start-positions.js';
import { ownQueues } from './subscription.js';
import { UnbrokenLease } from './unbroken-lease.js';

/** Part of the shutdown timeout after which a call that is still running is given up. */
const drainShare = 0.6;

/**
 * Runs one sink task: read, drop what is doubled, convert, put, flush, commit the offsets.
 *
 * - Records of a queue are put in order; a put that fails with a retriable error is made again with the same records.
 * - A flush names positions only of records that were put. Offsets are committed after it.
 * - Without the lease nothing is put, flushed or committed.
 */
export class SinkTaskLoop {
  /** Resolves when the loop has ended, whatever the reason. Never rejects. */
  readonly ended: Promise<LoopEnd>;
  private resolveEnded: (end: LoopEnd) => void = () => undefined;
  /** Aborted when nothing more is read. */
  private readonly stopping = new AbortController();
  /** Aborted when nothing more is put, flushed or committed. */
  private readonly killed = new AbortController();
  private readonly wakeUp = new WakeUp();
  private readonly queues: QueueSet;
  private readonly group: GroupOffsets;
  private readonly watch: QueueWatch;
  private isFlushDue = false;
  /** Records were taken from the queues that the task did not get: their positions must not be flushed. */
  private hasLeftovers = false;
  private failure: { readonly error: unknown } | undefined;
  private readonly pausing = new PauseSwitch();
  private readonly unreadable: UnreadableQueues;
  private readonly waitingForTopics: WaitingCall;
  private isTaskStarted = false;
  private readonly ports: SinkLoopPorts;

  constructor(
    private readonly spec: SinkLoopSpec,
    portsOfRunner: SinkLoopPorts,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    const lease = new UnbrokenLease(portsOfRunner.lease, spec.generation);
    const ports = (this.ports = { ...portsOfRunner, lease });
    // Every queue of the task listens.
    setMaxListeners(0, this.stopping.signal, this.killed.signal);
    const { settings, logger, counters, decoder } = spec;
    this.unreadable = new UnreadableQueues(ports.messages, spec.warnings, 'sink');
    this.waitingForTopics = spec.waits.begin('waiting for topics');
    const warn = logger.warn.bind(logger);
    const skips = new RateLimitedLogger(ports.clock, warn, this.killed.signal);
    this.queues = new QueueSet({
      group: spec.group,
      messages: ports.messages,
      clock: ports.clock,
      counters,
      waits: spec.waits,
      decoder,
      backoff: settings.backoff,
      budget: { heldBytes: 0, maxBytes: settings.maxAheadBytes },
      maxAheadBytes: settings.maxAheadBytesPerQueue,
      skipsBadRecords: settings.skipsBadRecords,
      signal: this.stopping.signal,
      arrived: () => {
        this.wakeUp.wake();
      },
      failed: (error) => {
        this.fail(error);
      },
      warn,
      skipped: (queue, offset, error) => {
        skips.write(
          `A record was skipped. ${conversionError(new MessageConversionFailure(queue, offset, error)).message}`,
        );
      },
    });
    this.group = new GroupOffsets({
      spec,
      ports,
      queues: this.queues,
      policy: (call) => this.policy(call, undefined),
      signal: this.killed.signal,
      store: (positions) => this.store(positions),
    });
    this.watch = new QueueWatch({
      intervalMs: settings.refreshIntervalMs,
      clock: ports.clock,
      queues: this.queues,
      group: this.group,
      list: () => this.listQueues(),
      signal: this.stopping.signal,
      found: () => {
        this.wakeUp.wake();
      },
      warn,
    });
  }

  get counters(): TaskCounters {
    return this.spec.counters;
  }

  /**
   * Starts the task and opens its queues; resolves when it is fed. Rejects with the reason when it cannot start: the task is stopped then and
   * `ended` resolves.
   */
  async start(): Promise<void> {
    const { task, connector: connectorName, index: taskIndex, generation, config, logger, warnings } = this.spec;
    const warn = warnings.add;
    const { signal } = this.stopping;
    try {
      await this.ports.lease.whenHeld(signal);
      const queues = await retrying(this.policy('asking for the queues', undefined), signal, () => this.listQueues());
      this.isTaskStarted = true;
      await task.start({ connectorName, taskIndex, generation, config, logger, warn, signal });
      await this.open(queues, this.spec.settings.offsetReset);
    } catch (error) {
      this.failure ??= signal.aborted ? undefined : { error };
      await this.end();
      throw error;
    }
    void this.tick();
    void this.watch.run();
    void this.run();
  }

  /** Takes no further records; what was put is flushed and committed, until the shutdown timeout. */
  stop(): Promise<LoopEnd> {
    this.stopping.abort(new Error('The task was asked to stop'));
    this.wakeUp.wake();
    const timeoutMs = this.spec.settings.shutdownTimeoutMs * drainShare;
    void this.ports.clock.sleep(timeoutMs, this.killed.signal).then(
      () => {
        this.kill();
      },
      () => undefined,
    );
    return this.ended;
  }

  /** Gives up at once: nothing more is put, flushed or committed. */
  kill(): void {
    this.stopping.abort(new Error('The task was given up'));
    this.killed.abort(new Error('The task was given up'));
    this.wakeUp.wake();
  }

  /** Takes nothing more; calls `onStill` once what was put is flushed and committed. */
  pause(onStill: () => void): void {
    this.pausing.pause(onStill);
    this.wakeUp.wake();
  }

  resume(): void {
    this.pausing.resume();
    this.wakeUp.wake();
  }

  private async run(): Promise<void> {
    try {
      await this.putUntilStopped();
    } catch (error) {
      if (!this.stopping.signal.aborted) this.failure ??= { error };
    }
    await this.end();
  }

  private async putUntilStopped(): Promise<void> {
    const { lease, clock } = this.ports;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      if (!lease.held) {
        await lease.whenHeld(signal);
        continue;
      }
      const queues = this.watch.takeNew();
      if (queues.length > 0) {
        // What is found while the task runs came after its start: nothing in it may be passed over.
        await this.open(queues, 'earliest');
      }
      if (this.pausing.isPaused && this.queues.advanced.length > 0) this.isFlushDue = true;
      if (this.isFlushDue) {
        this.isFlushDue = false;
        await this.flush();
        continue;
      }
      const suspects = this.watch.takeSuspects();
      if (suspects.length > 0) {
        await this.commitAgain(suspects);
        continue;
      }
      if (this.pausing.isPaused || !this.queues.hasMessages) {
        if (this.pausing.isPaused) this.pausing.tellStill();
        await this.wakeUp.wait();
        continue;
      }
      const { records, failure } = this.queues.take(this.spec.settings.maxPutRecords);
      if (records.length > 0) await this.put(records);
      if (failure !== undefined) throw conversionError(failure);
      await clock.yieldToIo();
    }
  }

  private async put(records: readonly SinkRecord[]): Promise<void> {
    const { task, counters, settings } = this.spec;
    this.hasLeftovers = true;
    const policy = this.policy('put', settings.retryTimeoutMs, () => {
      counters.putRetries++;
    });
    await retrying(policy, this.stopping.signal, async () => {
      await this.ports.lease.whenHeld(this.stopping.signal);
      await task.put(records, this.killed.signal);
    });
    this.hasLeftovers = false;
    counters.recordsPut += records.length;
  }

  /** Flushes and commits; follows the resets that the commit shows, and those that another one has shown. */
  private async flush(shown: readonly OffsetReset[] = []): Promise<void> {
    const positions = await this.storeAdvanced();
    const resets = new Map(shown.map((reset) => [queueKey(reset.queue), reset]));
    const refused = positions.length === 0 ? [] : await this.group.commit(positions);
    for (const reset of refused) resets.set(queueKey(reset.queue), reset);
    const left = await this.group.settle([...resets.values()]);
    // A task that ends leaves them to its next start.
    if (left.length > 0 && !this.stopping.signal.aborted) await this.seekTo(left);
  }

  /** Returns the positions of the queues of which records were taken since the last flush. */
  private async storeAdvanced(): Promise<readonly SinkPosition[]> {
    const advanced = this.queues.advanced;
    if (advanced.length === 0) return [];
    await this.store(this.queues.positions());
    return advanced.map((intake) => {
      const position = intake.position();
      intake.markFlushed(position);
      return position;
    });
  }

  /** Has the task make everything that was put durable, with these positions. */
  private async store(positions: readonly SinkPosition[]): Promise<void> {
    const { task, counters, settings } = this.spec;
    const { signal } = this.killed;
    await retrying(this.policy('flush', settings.retryTimeoutMs), signal, async () => {
      await this.ports.lease.whenHeld(signal);
      await task.flush(positions, signal);
    });
    counters.flushes++;
  }

  /** Commits once more what was flushed: a broker has lost it, or says now that the group was reset. */
  private async commitAgain(queues: readonly QueueRef[]): Promise<void> {
    const positions = queues.flatMap((queue) => this.queues.get(queue)?.flushedPosition ?? []);
    if (positions.length === 0) return;
    const resets = await this.group.commit(positions);
    if (resets.length > 0) await this.flush(resets);
  }

  /** Reads queues on where an operator has reset them. Nothing may be left to flush. */
  private async seekTo(resets: readonly OffsetReset[]): Promise<void> {
    await this.queues.remove(resets.map(({ queue }) => queue));
    await this.begin([...(await this.group.follow(resets)).values()]);
  }

  private listQueues(): Promise<readonly QueueRef[]> {
    return ownQueues(this.ports.messages, this.spec.subscription, this.unreadable, this.waitingForTopics);
  }

  private async open(queues: readonly QueueRef[], reset: SinkLoopSettings['offsetReset']): Promise<void> {
    const { task, group, settings, logger, warnings } = this.spec;
    const { messages, offsets } = this.ports;
    const { signal } = this.stopping;
    if (queues.length === 0) {
      logger.warn('The task has no queue to read yet; it looks for new ones');
      return;
    }
    const answers = await retrying(this.policy('open', settings.retryTimeoutMs), signal, async () => {
      await this.ports.lease.whenHeld(signal);
      return task.open(queues);
    });
    const { positions, ahead } = await retrying(this.policy('asking for offsets', undefined), signal, () =>
      startPositions({ messages, offsets, group, reset, queues, answers }),
    );
    // A position that the reset policy chose must not be chosen again; and the answer says where an operator has reset the group.
    const followed = await this.group.follow(await this.group.commit(positions));
    for (const { queue, nextOffset } of positions) {
      const key = queueKey(queue);
      const offset = ahead.get(key);
      if (offset === undefined || followed.has(key)) continue;
      warnings.add(
        `Queue ${key} resumes at offset ${nextOffset}, which the sink has stored; that of consumer group ${group} was ahead, at ${offset}`,
      );
    }
    const starts = positions.map((position) => followed.get(queueKey(position.queue)) ?? position);
    logger.info(describeStart(group, answers, starts));
    await this.begin(starts);
  }

  private async begin(positions: readonly SinkPosition[]): Promise<void> {
    const { signal } = this.stopping;
    const context = { messages: this.ports.messages, group: this.spec.group, signal };
    const starts = await retrying(this.policy('looking at what was read', undefined), signal, () =>
      Promise.all(positions.map((position) => prepareStart(context, position))),
    );
    for (const start of starts) this.queues.add(start);
  }

  /** Wakes the loop for its flushes. */
  private async tick(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.ports.clock.sleep(this.spec.settings.flushIntervalMs, signal);
      } catch {
        return;
      }
      this.isFlushDue = true;
      this.wakeUp.wake();
    }
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.stopping.abort(error);
    this.wakeUp.wake();
  }

  private async end(): Promise<void> {
    const { task, logger } = this.spec;
    this.stopping.abort(new Error('The task has ended'));
    await this.queues.stopReading();
    let clean = false;
    try {
      if (!this.hasLeftovers && this.ports.lease.held && !this.killed.signal.aborted) {
        await this.flush();
        clean = true;
      }
    } catch (error) {
      this.failure ??= { error };
    }
    this.killed.abort(new Error('The task has ended'));
    const calls: [string, () => Promise<void>][] = [];
    if (this.isTaskStarted) calls.push(['stop', () => task.stop()]);
    if (!this.queues.isEmpty) calls.unshift(['close', () => task.close(this.queues.queues)]);
    for (const [name, call] of calls) {
      try {
        await call();
      } catch (error) {
        logger.warn(`The task's ${name} failed: ${String(error)}`);
      }
    }
    this.resolveEnded(
      this.failure === undefined ? { kind: 'stopped', clean } : { kind: 'failed', error: this.failure.error, clean },
    );
  }

  private policy(call: string, timeoutMs: number | undefined, count?: () => void): RetryPolicy {
    return {
      clock: this.ports.clock,
      limits: this.spec.settings.backoff,
      timeoutMs,
      waiting: this.spec.waits.begin(call),
      onRetry: (error, attempt) => {
        count?.();
        this.spec.logger.warn(`Try ${attempt} of ${call} failed and is retried: ${String(error)}`);
      },
    };
  }
}
