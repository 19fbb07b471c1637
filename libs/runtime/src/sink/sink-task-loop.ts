import { setMaxListeners } from 'node:events';
import type { QueueRef, SinkPosition } from '@sluice/sdk';
import { RateLimitedLogger, untilAborted } from '@sluice/time';
import { DRAIN_SHARE, type LoopEnd } from '../task/loop-end.js';
import { RateLimit } from '../task/rate-limit.js';
import { PauseSwitch } from '../task/pause-switch.js';
import type { OffsetReset } from '../ports/offset-store.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { endlessRetry } from '../retry/endless-retry.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { TaskWaits, WaitingCall } from '../retry/task-waits.js';
import { someOf } from '../task/some-of.js';
import { withSkipRemedy } from '../task/skip-remedy.js';
import type { TaskWarnings } from '../task/task-warnings.js';
import { UnreadableQueues } from '../task/unreadable-queues.js';
import { WakeUp } from '../task/wake-up.js';
import { DivisionWatch } from './division-watch.js';
import { ForeignConsumers } from './foreign-consumers.js';
import { OffsetCommits } from './offset-commits.js';
import { OffsetResets } from './offset-resets.js';
import { QueueOpening } from './queue-opening.js';
import { type QueueSet, queueSetOf } from './queue-set.js';
import { QueueWatch } from './queue-watch.js';
import { ResetWatch } from './reset-watch.js';
import { SinkCalls } from './sink-calls.js';
import { SinkErrors } from './sink-errors.js';
import { SinkFlushes } from './sink-flushes.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';
import { MAX_NAMED_QUEUES, SinkRequests } from './sink-requests.js';
import { SinkSeeks } from './sink-seeks.js';
import { ownQueues } from './subscription.js';
import { UnbrokenLease } from './unbroken-lease.js';

/** How long a task that ticks has nothing to put before it is called, in milliseconds. */
const TICK_MS = 100;

/**
 * Runs one sink task: reads, drops duplicates, converts, puts, flushes and commits the offsets.
 *
 * - Records of a queue are put in order; a put that fails with a retriable error is made again with the same records.
 * - A flush names positions only of records that were put. The offsets that the sink reports as safe are committed after it.
 * - A broker that is unavailable delays its own queues only.
 * - Without the lease nothing is put, flushed or committed.
 */
export class SinkTaskLoop {
  /** Resolves when the loop has ended, whatever the reason. Never rejects. */
  readonly ended: Promise<LoopEnd>;
  #resolveEnded: (end: LoopEnd) => void = () => undefined;
  /** Aborted when nothing more is read. */
  readonly #stopping = new AbortController();
  /** Aborted when nothing more is put, flushed or committed. */
  readonly #killed = new AbortController();
  #isDraining = false;
  readonly #wakeUp = new WakeUp();
  readonly #queues: QueueSet;
  readonly #calls: SinkCalls;
  readonly #commits: OffsetCommits;
  readonly #flushes: SinkFlushes;
  readonly #requests: SinkRequests;
  readonly #errors: SinkErrors;
  readonly #seeks: SinkSeeks;
  readonly #opening: QueueOpening;
  readonly #watch: QueueWatch;
  #failure: { readonly error: unknown } | undefined;
  readonly #pausing = new PauseSwitch();
  readonly #rate: RateLimit;
  readonly #unreadable: UnreadableQueues;
  readonly #waitingForTopics: WaitingCall;
  readonly #division: DivisionWatch;
  readonly #ports: SinkLoopPorts;
  readonly #policy: (call: string, onRetry?: () => void) => RetryPolicy;

  constructor(
    private readonly spec: SinkLoopSpec,
    portsOfRunner: SinkLoopPorts,
  ) {
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const lease = new UnbrokenLease(portsOfRunner.lease, spec.generation);
    const ports = (this.#ports = { ...portsOfRunner, lease });
    // Every queue of the task listens.
    setMaxListeners(0, this.#stopping.signal, this.#killed.signal);
    const { settings, logger } = spec;
    const [stopping, killed] = [this.#stopping.signal, this.#killed.signal];
    this.#unreadable = new UnreadableQueues(ports.messages, spec.warnings, 'sink');
    this.#waitingForTopics = spec.waits.begin('waiting for topics');
    const { count } = spec.subscription.share;
    this.#division = new DivisionWatch({ count, request: spec.requestTaskReconfiguration, info: logger.info.bind(logger) });
    const warn = logger.warn.bind(logger);
    const wake = (): void => {
      this.#wakeUp.wake();
    };
    const failed = (error: unknown): void => {
      this.#fail(error);
    };
    const { clock } = ports;
    const skips = new RateLimitedLogger({ clock, log: warn, signal: killed });
    const flush = (): void => {
      flushes.request();
    };
    const seek = (positions: readonly SinkPosition[]): void => {
      seeks.ask(positions);
    };
    const refused = (error: unknown): void => {
      calls.giveUp(error);
      failed(error);
    };
    const retries = { clock, backoff: settings.backoff, waits: spec.waits, warn };
    const policy = (this.#policy = (call: string, onRetry?: () => void): RetryPolicy => endlessRetry(retries, call, onRetry));
    const errors = (this.#errors = new SinkErrors({ spec, ports, policy, skips, signal: killed, warn }));
    const requests = (this.#requests = new SinkRequests({ spec, errors, flush, resumed: wake, seek, refused }));
    this.#rate = new RateLimit(spec.rate, spec.waits);
    const queues = (this.#queues = queueSetOf({ spec, ports, errors, policy, rate: this.#rate, stopping, killed, arrived: wake, failed }));
    const taskPolicy = (call: string, onRetry?: () => void): RetryPolicy => ({
      ...policy(call, onRetry),
      limitMs: settings.retryTimeoutMs,
      delayMs: () => requests.retryAfterMs,
    });
    const calls = (this.#calls = new SinkCalls({ spec, lease, requests, errors, policy: taskPolicy, stopping, killed }));
    const committing = { spec, ports, queues, policy, signal: killed, committed: wake, failed };
    const resolve = (shown: readonly OffsetReset[]): Promise<void> => resets.resolve(shown);
    const commits = (this.#commits = new OffsetCommits({ ...committing, resolve }));
    const flushes = (this.#flushes = new SinkFlushes({ spec, ports, queues, calls, commits, stopping, killed, due: wake }));
    const store = async (positions: Iterable<SinkPosition>): Promise<void> => {
      commits.add(queues.markFlushed(await calls.flush(() => [...queues.positions(), ...positions], { everything: true })));
    };
    const resets: OffsetResets = new OffsetResets({
      spec,
      ports,
      queues,
      commits,
      policy,
      stopping,
      killed,
      flushUntil: (isSafe) => flushes.until(isSafe),
      store,
      ordered: (queues) => {
        seeks.drop(queues);
      },
      begin: (positions) => opening.read(positions),
    });
    const forOpening = { spec, ports, queues, calls, commits, requests, resets, policy, signal: stopping, opened: wake, failed };
    const opening: QueueOpening = (this.#opening = new QueueOpening(forOpening));
    const seeking = { spec, ports, queues, commits, opening, policy, killed };
    const seeks: SinkSeeks = (this.#seeks = new SinkSeeks({ ...seeking, flush: () => flushes.flush(true), store, asked: wake }));
    this.#watch = new QueueWatch({
      intervalMs: settings.refreshIntervalMs,
      clock: ports.clock,
      queues,
      resets: new ResetWatch({ spec, ports, queues, commits }),
      foreign: new ForeignConsumers({ spec, ports, queues: () => queues.queues }),
      list: () => this.#listQueues(),
      signal: stopping,
      found: wake,
      waiting: spec.waits.begin('looking for new queues'),
      warn,
      info: logger.info.bind(logger),
    });
  }

  get counters(): TaskCounters {
    return this.spec.counters;
  }

  get warnings(): Pick<TaskWarnings, 'list'> {
    return this.spec.warnings;
  }

  get waits(): Pick<TaskWaits, 'list'> {
    return this.spec.waits;
  }

  /**
   * Starts the task and opens its queues; resolves when it is fed. Rejects with the reason when it cannot start: the task is stopped then and
   * `ended` resolves.
   */
  async start(): Promise<void> {
    const { connector: connectorName, index: taskIndex, generation, config, logger, warnings, settings } = this.spec;
    const warn = warnings.add;
    const { signal } = this.#stopping;
    try {
      await this.#ports.lease.whenHeld(signal);
      const queues = await retrying(this.#policy('asking for the queues'), signal, () => this.#listQueues());
      await this.#errors.letters?.open(signal);
      const { requestCommit, pause, resume, timeout, seek, skipRecord } = this.#requests;
      const requests = { requestCommit, pause, resume, timeout, seek, skipRecord };
      await this.#calls.start({ connectorName, taskIndex, generation, config, logger, warn, signal, ...requests });
      await this.#opening.open(queues, settings.offsetReset);
      await this.#opening.whenFed();
    } catch (error) {
      this.#failure ??= signal.aborted ? undefined : { error };
      await this.#end();
      throw error;
    }
    void this.#flushes.run();
    void this.#watch.run();
    void this.#run();
  }

  /** Takes no further records; what was put is flushed and committed, until the shutdown timeout. */
  stop(): Promise<LoopEnd> {
    this.#stopping.abort(new Error('The task was asked to stop'));
    this.#wakeUp.wake();
    this.#limitDrain();
    return this.ended;
  }

  /** Gives up at once: nothing more is put, flushed or committed. */
  kill(): void {
    this.#stopping.abort(new Error('The task was given up'));
    this.#killed.abort(new Error('The task was given up'));
    this.#wakeUp.wake();
  }

  /** Takes nothing more; calls `onStill` once what was put is flushed and committed. */
  pause(onStill: () => void): void {
    this.#pausing.pause(onStill);
    this.#wakeUp.wake();
  }

  resume(): void {
    this.#pausing.resume();
    this.#wakeUp.wake();
  }

  async #run(): Promise<void> {
    try {
      await this.#putUntilStopped();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failure ??= { error };
    }
    await this.#end();
  }

  async #putUntilStopped(): Promise<void> {
    const { lease, clock } = this.#ports;
    const calls = this.#calls;
    const commits = this.#commits;
    const flushes = this.#flushes;
    const pausing = this.#pausing;
    const queues = this.#queues;
    const seeks = this.#seeks;
    const watch = this.#watch;
    const { maxPutRecords } = this.spec.settings;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (!lease.held) {
        await lease.whenHeld(signal);
        continue;
      }
      const found = watch.takeNew();
      if (found.length > 0) {
        // What is found while the task runs came after its start: nothing in it may be passed over.
        await this.#opening.open(found, 'earliest');
      }
      if (await seeks.begin()) continue;
      if (flushes.takeDue() || (pausing.isPaused && queues.isAdvanced)) {
        await flushes.flush(pausing.isPaused || seeks.areWaiting);
        continue;
      }
      commits.addSafe(watch.takeDue());
      const held = this.#requests.withPaused(seeks.withWaiting(commits.heldQueues));
      const hasMessages = !pausing.isPaused && queues.hasMessages(held);
      if (!hasMessages) this.#rate.idle();
      const waitMs = hasMessages ? this.#rate.waitMs() : 0;
      if (!hasMessages || waitMs > 0) {
        if (pausing.isPaused && commits.heldQueues.size === 0 && !queues.isUnsafe && seeks.isEmpty) pausing.tellStill();
        await this.#idle(waitMs);
        continue;
      }
      const failure = await calls.put(() => queues.take(maxPutRecords, held));
      if (failure !== undefined) throw withSkipRemedy(failure);
      await clock.yieldToIo();
    }
  }

  /**
   * Waits until something may have changed, or until the rate limit allows more, in milliseconds, if that is not 0. A task that ticks is called when
   * nothing has changed for a while.
   */
  async #idle(limitedMs: number): Promise<void> {
    const ticks = this.spec.task.tick !== undefined && (!this.#pausing.isPaused || this.#queues.isUnsafe);
    if (!ticks && limitedMs === 0) {
      await this.#wakeUp.wait();
      return;
    }
    const isTick = ticks && (limitedMs === 0 || limitedMs >= TICK_MS);
    const over = new AbortController();
    const due = this.#ports.clock.sleep(isTick ? TICK_MS : limitedMs, over.signal).then(
      () => {
        this.#wakeUp.wake();
        return true;
      },
      () => false,
    );
    await this.#wakeUp.wait();
    over.abort(new Error('No longer waited for'));
    if ((await due) && isTick && !this.#stopping.signal.aborted) await this.#calls.tick(this.#stopping.signal);
  }

  #listQueues(): Promise<readonly QueueRef[]> {
    return ownQueues(this.#ports.messages, this.spec.subscription, this.#unreadable, this.#waitingForTopics, this.#division);
  }

  #fail(error: unknown): void {
    if (this.#killed.signal.aborted) return;
    this.#failure ??= { error };
    this.#stopping.abort(error);
    // The loop may wait for what only that ends, such as letters.
    this.#limitDrain();
    this.#wakeUp.wake();
  }

  /** Gives up what still runs when its share of the shutdown timeout is over. */
  #limitDrain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const timeoutMs = this.spec.settings.shutdownTimeoutMs * DRAIN_SHARE;
    void this.#ports.clock.sleep(timeoutMs, this.#killed.signal).then(
      () => {
        this.kill();
      },
      () => undefined,
    );
  }

  async #end(): Promise<void> {
    const calls = this.#calls;
    const commits = this.#commits;
    const queues = this.#queues;
    this.#stopping.abort(new Error('The task has ended'));
    this.#limitDrain();
    await queues.stopReading();
    const clean = await this.#drain();
    if (commits.heldQueues.size > 0) this.#warnOfUncommitted();
    this.#seeks.warnOfLeft();
    this.#killed.abort(new Error('The task has ended'));
    await calls.end(queues.opened);
    this.#resolveEnded(this.#failure === undefined ? { kind: 'stopped', clean } : { kind: 'failed', error: this.#failure.error, clean });
  }

  /** Flushes and commits what was put; returns whether all of it is. */
  async #drain(): Promise<boolean> {
    const calls = this.#calls;
    const commits = this.#commits;
    const killed = this.#killed;
    let isFlushed = false;
    try {
      if (!this.#ports.lease.held) this.kill();
      if (!calls.hasLeftovers && !killed.signal.aborted) {
        await this.#flushes.drain(() => {
          this.#seeks.leave();
        });
        isFlushed = true;
        await Promise.race([this.#seeks.leaveAll(), untilAborted(killed.signal)]);
      }
    } catch (error) {
      if (!killed.signal.aborted) this.#failure ??= { error };
    }
    // Nothing follows a call to a broker that answers only after the task was given up.
    await Promise.race([this.#opening.idle().then(() => commits.idle()), untilAborted(killed.signal)]);
    return isFlushed && commits.heldQueues.size === 0 && this.#seeks.isEmpty;
  }

  #warnOfUncommitted(): void {
    const held = [...this.#commits.heldQueues];
    this.spec.logger.warn(
      `The task ends before the brokers have accepted the offsets of ${someOf(held, MAX_NAMED_QUEUES)}. ` +
        'A sink that stores no offsets gets their last records again',
    );
  }
}
