import { setMaxListeners } from 'node:events';
import { taskId } from '@sluice/protocol';
import type { SourcePartition, SourcePosition, SourceRecord } from '@sluice/sdk';
import { RateLimitedLogger } from '@sluice/time';
import { DRAIN_SHARE, type LoopEnd } from '../task/loop-end.js';
import { RateLimit } from '../task/rate-limit.js';
import { PauseSwitch } from '../task/pause-switch.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { endlessRetry } from '../retry/endless-retry.js';
import type { RetryPolicy } from '../retry/retrying.js';
import type { TaskWaits } from '../retry/task-waits.js';
import { unlessAborted } from '../retry/unless-aborted.js';
import type { TaskWarnings } from '../task/task-warnings.js';
import { WakeUp } from '../task/wake-up.js';
import { laneServices } from './lane-services.js';
import { lookUpMany, PartitionTable } from './partition-table.js';
import { keepPositionsStored } from './position-upkeep.js';
import { PositionWriter } from './position-writer.js';
import { KeyedQueueStoppedError } from './queue-keys.js';
import type { QueueLane } from './queue-lane.js';
import type { QueueLaneOptions } from './queue-lane-options.js';
import { RecordIntake } from './record-intake.js';
import { SourceCalls } from './source-calls.js';
import { SourceErrors } from './source-errors.js';
import { SourceStage } from './source-stage.js';
import type { SourceLoopPorts, SourceLoopSpec } from './source-loop-options.js';
import { takeOverPositions } from './take-over-positions.js';
import { describeStop, WritableQueues, type QueueStop } from './writable-queues.js';

/**
 * Runs one source task: poll, convert, send in batches, store positions, commit.
 *
 * - Records of a queue are sent in order; a position is stored only when everything before it is acknowledged.
 * - Before the task starts, the loop finds out what earlier generations left in the queues and starts it there.
 * - Without the lease nothing is polled, sent, stored or committed.
 */
export class SourceTaskLoop {
  /** Resolves when the loop has ended, whatever the reason. Never rejects. */
  readonly ended: Promise<LoopEnd>;
  #resolveEnded: (end: LoopEnd) => void = () => undefined;
  /** Aborted when nothing is polled any more. */
  readonly #stopping = new AbortController();
  /** Aborted when nothing is sent or stored any more. */
  readonly #killed = new AbortController();
  /** Aborted when the time of a stop is over, and with `#killed`. */
  readonly #late = new AbortController();
  #isDraining = false;
  readonly #wakeUp = new WakeUp();
  readonly #writer: PositionWriter;
  readonly #partitions: PartitionTable;
  readonly #intake: RecordIntake;
  readonly #errors: SourceErrors;
  readonly #calls: SourceCalls;
  #failure: { readonly error: unknown } | undefined;
  readonly #pausing = new PauseSwitch();
  readonly #queues: WritableQueues;
  /** The partitions are known: positions may be written. */
  #isRecovered = false;
  #onCompleted: () => void = () => undefined;

  constructor(
    private readonly spec: SourceLoopSpec,
    private readonly ports: SourceLoopPorts,
  ) {
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    // Every batch that is being sent listens.
    setMaxListeners(0, this.#stopping.signal, this.#killed.signal);
    const { connector, index, generation, settings, warnings, logger } = spec;
    const { maxUnavailableMs } = settings;
    this.#queues = new WritableQueues({ ...ports, warnings, maxUnavailableMs, maxRetryDelayMs: settings.backoff.maxMs });
    const [stopping, killed] = [this.#stopping.signal, this.#killed.signal];
    const warn = logger.warn.bind(logger);
    const retries = { clock: ports.clock, backoff: settings.backoff, waits: spec.waits, warn };
    const policy = (call: string, onRetry?: () => void): RetryPolicy => endlessRetry(retries, call, onRetry);
    const skips = new RateLimitedLogger({ clock: ports.clock, log: warn, signal: killed });
    this.#partitions = new PartitionTable({
      connector,
      task: { index, generation },
      laneOptions: this.#laneOptions(warn),
    });
    this.#calls = new SourceCalls({
      spec,
      lease: ports.lease,
      policy: (call) => ({ ...policy(call), limitMs: settings.retryTimeoutMs }),
      stopping,
      killed,
      late: this.#late.signal,
    });
    this.#writer = new PositionWriter({
      ...ports,
      counters: spec.counters,
      policy,
      signal: killed,
      store: ports.positions,
      task: { connector, index, generation },
      partitions: () => this.#partitions.all(),
      lanes: () => this.#partitions.lanes(),
      settled: (lane) => {
        this.#partitions.forget(lane);
      },
      written: (positions) => {
        for (const position of positions) this.#calls.addStored(position);
        this.#wakeUp.wake();
      },
    });
    const noteOutcome = (record: SourceRecord): void => {
      this.#calls.addOutcome({ record, metadata: undefined });
    };
    const preparing = { ...policy('preparing records'), limitMs: settings.retryTimeoutMs };
    const ours = {
      ...{ spec, partitions: this.#partitions, writer: this.#writer, queues: this.#queues, clock: ports.clock },
      stage: new SourceStage({ transforms: spec.transforms, encoder: spec.encoder, policy: preparing, signal: stopping }),
      rate: new RateLimit(spec.rate, spec.waits),
      passedOver: spec.task.commitRecord === undefined ? undefined : noteOutcome,
      whenSent: () => this.#wakeUp.wait(),
    };
    const errors = (this.#errors = new SourceErrors({ spec, ports, policy, skips, signal: killed }));
    this.#intake = new RecordIntake({ ...ours, errors, skips, policy, signal: stopping });
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
   * Recovers the positions and starts the task; resolves when it is polled. Rejects with the reason when it cannot start: the task is
   * stopped then and `ended` resolves. Calls `onCompleted` once when the task has no more data and all of it is committed. From
   * then on the loop only keeps its positions stored, until it is stopped.
   */
  async start(onCompleted: () => void = () => undefined): Promise<void> {
    const { connector, index, generation, config, logger } = this.spec;
    try {
      await this.#recover();
      this.#stopping.signal.throwIfAborted();
      await this.ports.lease.whenHeld(this.#stopping.signal);
      await this.#errors.letters?.open(this.#stopping.signal);
      const waitFor = this.spec.waits.ofTask(logger.warn.bind(logger), this.#killed.signal);
      this.#onCompleted = () => {
        waitFor(undefined);
        logger.info('The source has no more data, and all that it had is committed');
        onCompleted();
      };
      await this.#calls.start({
        connectorName: connector,
        taskIndex: index,
        generation,
        config,
        logger,
        signal: this.#stopping.signal,
        warn: this.spec.warnings.add,
        skipRecord: this.#intake.countSkipped,
        ...this.#intake.marks,
        waitFor,
        complete: this.#calls.noteEndOfData,
        requestTaskReconfiguration: this.spec.requestTaskReconfiguration,
        position: (partition) => this.#lookUp(partition),
        positions: (partitions) => lookUpMany(partitions, (partition) => this.#lookUp(partition)),
      });
    } catch (error) {
      await this.#end(this.#stopping.signal.aborted ? this.#failure : { error });
      throw error;
    }
    void this.#flushRegularly();
    void this.#run();
  }

  /** Stops polling; what is on its way is still sent and its positions stored, until the shutdown timeout. */
  stop(): Promise<LoopEnd> {
    this.#stopping.abort(new Error('The task was asked to stop'));
    this.#wakeUp.wake();
    this.#limitDrain();
    return this.ended;
  }

  /** Gives up at once: nothing more is sent or stored. */
  kill(): void {
    this.#killed.abort(new Error('The task was given up'));
    void this.stop();
  }

  /** Polls nothing more; calls `onStill` once what was polled is sent and its positions are stored. */
  pause(onStill: () => void): void {
    this.#pausing.pause(onStill);
    this.#wakeUp.wake();
  }

  resume(): void {
    this.#pausing.resume();
    this.#wakeUp.wake();
  }

  async #recover(): Promise<void> {
    const { connector, index, generation, settings, counters, logger } = this.spec;
    const { free, held } = await takeOverPositions({
      ...this.ports,
      task: { connector, index, generation },
      backoff: settings.backoff,
      // Nothing of ours is in flight yet: a stop may interrupt anything.
      signal: this.#stopping.signal,
      waits: this.spec.waits,
      queues: this.#queues,
      warn: (message) => {
        logger.warn(message);
      },
      incomplete: (message) => {
        counters.incompleteScans++;
        logger.error(message);
      },
    });
    this.#partitions.load(free, held);
    this.#isRecovered = true;
  }

  /** What an earlier generation stored it may not have committed: it is committed again. */
  #lookUp(partition: SourcePartition): SourcePosition | undefined {
    const { position, isFree } = this.#partitions.lookUp(partition);
    if (position !== undefined && isFree) this.#calls.addStored({ partition, position });
    return position;
  }

  async #run(): Promise<void> {
    try {
      await this.#pollUntilStopped();
    } catch (error) {
      this.#stopFor(error);
    }
    await this.#end(this.#failure);
  }

  async #pollUntilStopped(): Promise<void> {
    const { clock, lease } = this.ports;
    const [calls, intake, pausing] = [this.#calls, this.#intake, this.#pausing];
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await calls.commit();
      if (calls.isAtEnd) await this.#complete();
      if (pausing.isPaused || intake.isFull || calls.isAtEnd) {
        if (pausing.isPaused && this.#isStill) pausing.tellStill();
        await this.#wakeUp.wait();
        continue;
      }
      if (!lease.held) {
        await unlessAborted(lease.whenHeld(signal), signal);
        continue;
      }
      await intake.accept(await calls.poll());
      await clock.yieldToIo();
    }
  }

  /** Stops the task once everything is committed. To be called after its last record. */
  async #complete(): Promise<void> {
    if (this.#calls.hasEnded || !this.#partitions.idle) return;
    await this.#writer.settle();
    await this.#calls.commit();
    if (!this.#isStill) return;
    await this.#calls.end();
    this.#onCompleted();
  }

  /** Everything that was polled is sent, stored and committed. */
  get #isStill(): boolean {
    return this.#partitions.idle && this.#writer.isIdle && this.#calls.isCommitted;
  }

  #move(lane: QueueLane, stop: QueueStop, isUncertain: boolean): void {
    const { to, moved } = this.#partitions.moveLane(lane, stop.others);
    for (const partition of moved) this.#writer.markDirty(partition);
    this.spec.warnings.add(
      `${describeStop(stop)}: ${moved.length} partition(s) of it go to queue ${to.key} from now on.` +
        (isUncertain ? ' It may have the records that were being sent: they are sent again, and may be there twice.' : ''),
    );
  }

  /** Fails without what a lane has not sent. Where that is certain, what the others have is still sent and stored. */
  #endKeyed(lane: QueueLane, isUncertain: boolean, error: Error): void {
    if (isUncertain) {
      this.#fail(error);
      return;
    }
    lane.giveAway();
    this.#stopFor(error);
  }

  async #flushRegularly(): Promise<void> {
    const { flushIntervalMs, rewriteIntervalMs } = this.spec.settings;
    try {
      await keepPositionsStored({
        clock: this.ports.clock,
        writer: this.#writer,
        partitions: this.#partitions,
        flushIntervalMs,
        rewriteIntervalMs,
        signal: this.#killed.signal,
        flushed: () => {
          if (this.#pausing.isPaused || this.#calls.isAtEnd) this.#wakeUp.wake();
        },
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#killed.signal.aborted) return;
    this.#stopFor(error);
    this.#killed.abort(error);
  }

  #stopFor(error: unknown): void {
    this.#failure ??= { error };
    this.#stopping.abort(error);
    this.#wakeUp.wake();
  }

  async #end(failure: { readonly error: unknown } | undefined): Promise<void> {
    let clean = false;
    let problem = failure;
    this.#limitDrain();
    try {
      const isDrained = await this.#drain();
      if (this.#isRecovered && this.#mayWrite()) {
        const isWhole = isDrained && this.#partitions.listAhead();
        await (isDrained ? this.#writer.writeAll(true) : this.#writer.flush());
        clean = isWhole;
        await this.#calls.commit();
      }
    } catch (error) {
      problem ??= this.#failure ?? { error };
    }
    problem ??= this.#failure;
    this.#killed.abort(new Error('The task has ended'));
    await this.#calls.end();
    this.#resolveEnded(problem === undefined ? { kind: 'stopped', clean } : { kind: 'failed', error: problem.error, clean });
  }

  /** Waits until everything accepted is acknowledged. Returns false when that takes too long. */
  async #drain(): Promise<boolean> {
    while (!this.#partitions.idle && !this.#late.signal.aborted && this.#mayWrite()) await this.#wakeUp.wait();
    return this.#partitions.idle;
  }

  /** Gives a stop its share of the shutdown timeout, from its beginning on. */
  #limitDrain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const giveUp = (): void => {
      this.#late.abort(new Error('The time of the stop is over'));
      this.#wakeUp.wake();
    };
    void this.ports.clock.sleep(this.spec.settings.shutdownTimeoutMs * DRAIN_SHARE, this.#killed.signal).then(giveUp, giveUp);
  }

  #mayWrite(): boolean {
    return this.ports.lease.held && !this.#killed.signal.aborted;
  }

  #laneOptions(warn: (message: string) => void): QueueLaneOptions {
    const { connector, index, generation, settings, counters, figures, waits } = this.spec;
    const { backoff } = settings;
    const shared = { ...this.ports, counters, figures, backoff, signal: this.#killed.signal, warn, waits, queues: this.#queues };
    const keepsLetters = settings.skipsBadRecords && settings.errors.deadLetters !== undefined;
    return {
      ...shared,
      keepsRecords: this.spec.task.commitRecord !== undefined || keepsLetters,
      isKeyed: this.spec.queueKeys !== undefined,
      whenOverdue: this.spec.isRaw === true ? 'stay' : this.spec.queueKeys === undefined ? 'move' : 'restart',
      maxBatchBytes: settings.maxBatchBytes,
      ...laneServices(shared, { task: taskId(connector, index), generation }, () => this.#partitions.lanes()),
      storeRoutes: (lane, { segments }) => {
        const partitions = segments.map(({ partition }) => partition);
        return this.#writer.storeRoutes(lane, partitions);
      },
      move: (lane, stop, isUncertain) => {
        const { queueKeys } = this.spec;
        if (queueKeys === undefined) this.#move(lane, stop, isUncertain);
        else this.#endKeyed(lane, isUncertain, new KeyedQueueStoppedError(stop, queueKeys.by));
      },
      refused: keepsLetters ? (queue, refused, error) => this.#intake.isolate(queue, refused, error) : undefined,
      acknowledged: (lane, batch) => {
        for (const outcome of batch.outcomes(lane.queue)) this.#calls.addOutcome(outcome);
        for (const { partition } of batch.segments) if (partition.settle()) this.#writer.markDirty(partition);
        this.#wakeUp.wake();
      },
      failed: (error) => {
        this.#fail(error);
      },
    };
  }
}
