import { setMaxListeners } from 'node:events';
import {
  ConnectError,
  ConnectErrorCode,
  queueKey,
  type QueueRef,
  type SinkPosition,
  type SinkRecord,
} from '@sluice/sdk';
import type { LoopEnd } from '../loop-end.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { RateLimitedLog } from '../rate-limited-log.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { WakeUp } from '../wake-up.js';
import { type IntakeContext, MessageConversionFailure, QueueIntake } from './queue-intake.js';
import type { SinkLoopPorts, SinkLoopSettings, SinkLoopSpec } from './sink-loop-options.js';
import { startPositions } from './start-positions.js';
import { ownsQueue, subscribedTopics } from './subscription.js';

const firstQueueIntervalMs = 500;

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
  private readonly intakes: QueueIntake[] = [];
  private readonly reads: Promise<void>[] = [];
  private readonly intakeContext: IntakeContext;
  private found: readonly QueueRef[] = [];
  private isFlushDue = false;
  /** Records were taken from the queues that the task did not get: their positions must not be flushed. */
  private hasLeftovers = false;
  private failure: { readonly error: unknown } | undefined;
  private paused = false;
  private isTaskStarted = false;
  private firstIntake = 0;

  constructor(
    private readonly spec: SinkLoopSpec,
    private readonly ports: SinkLoopPorts,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    // Every queue of the task listens.
    setMaxListeners(0, this.stopping.signal, this.killed.signal);
    const { settings, logger, counters, decoder } = spec;
    const skips = new RateLimitedLog(ports.clock, (message) => {
      logger.warn(message);
    });
    this.intakeContext = {
      messages: ports.messages,
      clock: ports.clock,
      counters,
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
      warn: (message) => {
        logger.warn(message);
      },
      skipped: (queue, offset, error) => {
        skips.write(
          `A record was left out. ${conversionError(new MessageConversionFailure(queue, offset, error)).message}`,
        );
      },
    };
  }

  get counters(): TaskCounters {
    return this.spec.counters;
  }

  /**
   * Starts the task and opens its queues; resolves when it is fed. Rejects with the reason when it cannot start: the task is stopped then and
   * `ended` resolves.
   */
  async start(): Promise<void> {
    const { task, connector, index, generation, config, logger } = this.spec;
    const { signal } = this.stopping;
    try {
      await this.ports.lease.whenHeld(signal);
      const queues = await retrying(this.policy('asking for the queues', undefined), signal, () => this.ownQueues());
      this.isTaskStarted = true;
      await task.start({ connectorName: connector, taskIndex: index, generation, config, logger, signal });
      await this.open(queues, this.spec.settings.offsetReset);
    } catch (error) {
      this.failure ??= signal.aborted ? undefined : { error };
      await this.end();
      throw error;
    }
    void this.tick();
    void this.refresh();
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

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
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
      if (this.found.length > 0) {
        const queues = this.notYetRead(this.found);
        this.found = [];
        // What is found while the task runs came after its start: nothing in it may be passed over.
        if (queues.length > 0) await this.open(queues, 'earliest');
      }
      if (this.isFlushDue) {
        this.isFlushDue = false;
        await this.flush();
        continue;
      }
      if (this.paused || !this.intakes.some((intake) => intake.hasMessages)) {
        await this.wakeUp.wait();
        continue;
      }
      const { records, failure } = this.collect();
      if (records.length > 0) await this.put(records);
      if (failure !== undefined) throw conversionError(failure);
      await clock.yieldToIo();
    }
  }

  /** Takes records of all queues in turn, beginning with another queue each time. */
  private collect(): { records: SinkRecord[]; failure: MessageConversionFailure | undefined } {
    const records: SinkRecord[] = [];
    const { maxPutRecords } = this.spec.settings;
    this.firstIntake++;
    try {
      for (let n = 0; n < this.intakes.length && records.length < maxPutRecords; n++) {
        this.intakes[(this.firstIntake + n) % this.intakes.length]?.take(records, maxPutRecords);
      }
      return { records, failure: undefined };
    } catch (error) {
      if (error instanceof MessageConversionFailure) return { records, failure: error };
      throw error;
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

  private async flush(): Promise<void> {
    const { task, group, counters, settings } = this.spec;
    const { lease, offsets } = this.ports;
    const { signal } = this.killed;
    const advanced = this.intakes.filter((intake) => intake.isAdvanced);
    if (advanced.length === 0) return;
    const all = this.intakes.map((intake) => intake.position());
    await retrying(this.policy('flush', settings.retryTimeoutMs), signal, async () => {
      await lease.whenHeld(signal);
      await task.flush(all, signal);
    });
    counters.flushes++;
    const positions: SinkPosition[] = [];
    for (const intake of advanced) {
      const position = intake.position();
      positions.push(position);
      intake.markFlushed(position);
    }
    await this.commit(group, positions, offsets);
  }

  private async commit(
    group: string,
    positions: readonly SinkPosition[],
    offsets: SinkLoopPorts['offsets'],
  ): Promise<void> {
    const { signal } = this.killed;
    await retrying(this.policy('committing offsets', undefined), signal, async () => {
      await this.ports.lease.whenHeld(signal);
      await offsets.commit(group, positions);
    });
    this.spec.counters.offsetCommits++;
  }

  private async ownQueues(): Promise<readonly QueueRef[]> {
    const { subscription } = this.spec;
    const { messages } = this.ports;
    const own: QueueRef[] = [];
    for (const topic of await subscribedTopics(messages, subscription)) {
      for (const queue of await messages.queues(topic)) if (ownsQueue(queue, subscription.share)) own.push(queue);
    }
    return own;
  }

  private async open(queues: readonly QueueRef[], reset: SinkLoopSettings['offsetReset']): Promise<void> {
    const { task, group, settings, logger } = this.spec;
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
    const { positions, chosen } = await retrying(this.policy('asking for offsets', undefined), signal, () =>
      startPositions({
        messages,
        offsets,
        group,
        reset,
        queues,
        answers,
      }),
    );
    if (chosen.length > 0) await this.commit(group, chosen, offsets);
    for (const position of positions) {
      const intake = new QueueIntake(position.queue, position, this.intakeContext);
      this.intakes.push(intake);
      this.reads.push(intake.read());
    }
  }

  private notYetRead(queues: readonly QueueRef[]): readonly QueueRef[] {
    const read = new Set(this.intakes.map((intake) => intake.key));
    return queues.filter((queue) => !read.has(queueKey(queue)));
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

  /** Looks for queues that came since the last look. */
  private async refresh(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const { refreshIntervalMs } = this.spec.settings;
        // A task without a queue waits for its topic to be made, most often by a source that starts beside it.
        const waitMs =
          this.intakes.length === 0 ? Math.min(firstQueueIntervalMs, refreshIntervalMs) : refreshIntervalMs;
        await this.ports.clock.sleep(waitMs, signal);
        const fresh = this.notYetRead(await this.ownQueues());
        if (fresh.length === 0) continue;
        this.found = fresh;
        this.wakeUp.wake();
      } catch (error) {
        if (this.isStopping()) return;
        this.spec.logger.warn(`Looking for new queues failed and is repeated later: ${String(error)}`);
      }
    }
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.stopping.abort(error);
    this.wakeUp.wake();
  }

  private async end(): Promise<void> {
    const { task, logger } = this.spec;
    this.stopping.abort(new Error('The task has ended'));
    await Promise.all(this.reads);
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
    if (this.intakes.length > 0) calls.unshift(['close', () => task.close(this.intakes.map(({ queue }) => queue))]);
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
      onRetry: (error, attempt) => {
        count?.();
        this.spec.logger.warn(`Try ${attempt} of ${call} failed and is repeated: ${String(error)}`);
      },
    };
  }
}

function conversionError({ message, cause }: MessageConversionFailure): ConnectError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(ConnectErrorCode.conversionFailed, `${message}: ${reason}`, { cause });
}
