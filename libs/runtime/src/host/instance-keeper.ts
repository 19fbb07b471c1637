import type { InstanceReport } from '@sluice/core';
import { ConnectError, ConnectErrorCode, type ConnectorContext, type ConnectorInstance } from '@sluice/sdk';
import { untilAborted } from '@sluice/time';
import type { Clock } from '../ports/clock.port.js';
import { isDoubtful, type Lease } from '../ports/lease.port.js';
import { decideRestart, type RestartPolicy } from '../retry/restart-policy.js';
import { unlessAborted } from '../retry/unless-aborted.js';
import { WakeUp } from '../task/wake-up.js';

/** How long the start of an instance may take, in milliseconds. */
export const INSTANCE_START_LIMIT_MS = 60_000;

/** How often an instance that runs is compared with the lease, in milliseconds: nothing notifies it of the end of a lease. */
const LEASE_LOOK_MS = 250;

export interface InstanceKeeperOptions extends Pick<
  ConnectorContext,
  'connectorName' | 'generation' | 'config' | 'logger' | 'agreedPairs'
> {
  readonly create: () => ConnectorInstance;
  readonly requestTaskReconfiguration: () => void;
  readonly restart: RestartPolicy;
  /** How long a stop may take before it is reported, in milliseconds. It is waited for all the same. */
  readonly stopLimitMs: number;
  /** The full text of an error, without secrets. */
  readonly describe: (error: unknown) => string;
  readonly lease: Lease;
  readonly clock: Clock;
}

interface Failure {
  readonly error: unknown;
  /** Nobody but an operator can help. */
  readonly isFinal: boolean;
}

/**
 * Runs the instance of a connector while it should run, one at a time: with the lease held, and neither paused nor stopped. A new one is made only
 * when the one before has stopped.
 */
export class InstanceKeeper {
  readonly #options: InstanceKeeperOptions;
  /** Resolves when the generation has become doubtful: an instance runs again only with another one. */
  readonly outdated: Promise<void>;
  #noteOutdated: () => void = () => undefined;
  readonly #gapsBefore: number;
  readonly #ended = new AbortController();
  readonly #wakeUp = new WakeUp();
  #isPaused = false;
  /** Its stop takes too long. */
  #isStuck = false;
  #report: InstanceReport = { state: 'RESTARTING' };
  #done: Promise<void> = Promise.resolve();
  /** Of the instance that is there: aborted when it is to stop. */
  #life: AbortController | undefined;
  /** Resolves when no instance is there. */
  #gone: Promise<unknown> = Promise.resolve();

  constructor(options: InstanceKeeperOptions) {
    this.#options = options;
    this.#gapsBefore = options.lease.gaps;
    this.outdated = new Promise((resolve) => {
      this.#noteOutdated = resolve;
    });
  }

  /** `undefined` once the keeper was asked to end, unless the instance does not stop. */
  get report(): InstanceReport | undefined {
    return this.#ended.signal.aborted && !this.#isStuck ? undefined : this.#report;
  }

  begin(): void {
    this.#done = this.#keep();
  }

  /** Resolves when no instance is there any more. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#life?.abort(new Error('The connector is paused'));
    this.#wakeUp.wake();
    await this.#gone;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wakeUp.wake();
  }

  /** Stops the instance for good; resolves when it has stopped. Never rejects. */
  end(): Promise<void> {
    const why = new Error('The connector is stopped on this node');
    this.#ended.abort(why);
    this.#life?.abort(why);
    this.#wakeUp.wake();
    return this.#done;
  }

  get #isHeldBack(): boolean {
    return this.#isPaused || this.#ended.signal.aborted;
  }

  get #isDoubtful(): boolean {
    const { generation, lease } = this.#options;
    return isDoubtful(lease, generation, this.#gapsBefore);
  }

  async #keep(): Promise<void> {
    const { clock, connectorName, describe, logger, restart } = this.#options;
    const { signal } = this.#ended;
    let attempts = 0;
    while (await this.#mayRun()) {
      // Between the answer and here the connector may have been paused or stopped.
      if (this.#isHeldBack) continue;
      const lived = this.#live();
      this.#gone = lived;
      const { failure, ranMs } = await lived;
      if (ranMs >= restart.backoff.maxMs) attempts = 0;
      if (failure === undefined || signal.aborted) continue;
      const decision = failure.isFinal ? undefined : decideRestart(restart, { error: failure.error, attempts, ranMs: 0 }, clock.random());
      const trace = describe(failure.error);
      if (decision?.kind !== 'restart') {
        this.#fail(trace);
        await untilAborted(signal);
        return;
      }
      attempts = decision.attempt;
      this.#report = { state: 'RESTARTING', trace };
      logger.warn(`Connector ${connectorName} could not start and tries again in ${decision.delayMs.toFixed(0)} ms: ${trace}`);
      await clock.sleep(decision.delayMs, signal).catch(() => undefined);
    }
  }

  /** Waits until an instance may run. Resolves with false when none will any more. */
  async #mayRun(): Promise<boolean> {
    const { lease } = this.#options;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (this.#isPaused) {
        this.#report = { state: 'PAUSED' };
        await this.#wakeUp.wait();
      } else if (!lease.held) await unlessAborted(lease.whenHeld(signal), signal);
      else if (this.#isDoubtful) {
        // The loop of the task may continue: an idle source does, and one whose queues show no successor.
        this.#noteOutdated();
        await untilAborted(signal);
      } else return true;
    }
    return false;
  }

  /** Runs one instance from its start to its stop. */
  async #live(): Promise<{ readonly failure: Failure | undefined; readonly ranMs: number }> {
    const { clock, create, connectorName, describe, logger, stopLimitMs } = this.#options;
    const life = (this.#life = new AbortController());
    let failure: Failure | undefined;
    const end = (error: unknown): void => {
      if (life.signal.aborted) return;
      failure = { error, isFinal: true };
      this.#fail(describe(error));
      life.abort(error);
    };
    const started = new AbortController();
    let instance: ConnectorInstance;
    try {
      instance = create();
    } catch (error) {
      return { failure: { error, isFinal: false }, ranMs: 0 };
    }
    void this.#watchLease(life);
    void this.#watchStart(life.signal, started.signal);
    const begin = (): Promise<void> => instance.start(this.#contextOf(life, end));
    const startError = await this.#call(begin, INSTANCE_START_LIMIT_MS, () => {
      end(tooLate(connectorName, 'start', INSTANCE_START_LIMIT_MS));
    });
    started.abort();
    this.#isStuck = false;
    if (startError !== undefined && !life.signal.aborted) failure = { error: startError.error, isFinal: false };
    const startedMs = clock.nowMs();
    if (failure === undefined && !life.signal.aborted) {
      this.#report = { state: 'RUNNING' };
      await untilAborted(life.signal);
    }
    const ranMs = startError === undefined ? clock.nowMs() - startedMs : 0;
    life.abort(new Error('The instance is over'));
    if (failure === undefined) this.#report = { state: 'RESTARTING' };
    const stopError = await this.#call(
      () => instance.stop(),
      stopLimitMs,
      () => {
        this.#isStuck = true;
        this.#fail(describe(tooLate(connectorName, 'stop', stopLimitMs)));
      },
    );
    this.#isStuck = false;
    if (stopError !== undefined) logger.warn(`Connector ${connectorName} failed while its instance stopped: ${describe(stopError.error)}`);
    this.#life = undefined;
    return { failure, ranMs };
  }

  /** Makes a call and waits for its end, however late. Resolves with the error where it failed; calls `late` when it passes the limit. */
  async #call(call: () => Promise<void>, limitMs: number, late: () => void): Promise<{ readonly error: unknown } | undefined> {
    const timer = new AbortController();
    void this.#options.clock.sleep(limitMs, timer.signal).then(late, () => undefined);
    try {
      await call();
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      timer.abort();
    }
  }

  #contextOf(life: AbortController, raise: (error: unknown) => void): ConnectorContext {
    const { connectorName, generation, config, logger, agreedPairs, requestTaskReconfiguration } = this.#options;
    return {
      connectorName,
      generation,
      config,
      logger,
      agreedPairs,
      signal: life.signal,
      requestTaskReconfiguration: () => {
        if (!life.signal.aborted) requestTaskReconfiguration();
      },
      raiseError: raise,
    };
  }

  /** Reports a start that is still under way when the instance should have stopped for long: `stop` is called only after it. */
  async #watchStart(stopping: AbortSignal, started: AbortSignal): Promise<void> {
    const { clock, connectorName, describe, stopLimitMs } = this.#options;
    await untilAborted(AbortSignal.any([stopping, started]));
    await clock.sleep(stopLimitMs, started).then(
      () => {
        this.#isStuck = true;
        this.#fail(describe(tooLate(connectorName, 'end its start', stopLimitMs)));
      },
      () => undefined,
    );
  }

  async #watchLease(life: AbortController): Promise<void> {
    const { clock, lease } = this.#options;
    while (!life.signal.aborted) {
      // A lease that ends and returns between two looks leaves only the doubt.
      if (!lease.held || this.#isDoubtful) life.abort(new Error('The lease of the node has ended'));
      await clock.sleep(LEASE_LOOK_MS, life.signal).catch(() => undefined);
    }
  }

  #fail(trace: string): void {
    if (this.#report.state === 'FAILED') return;
    this.#report = { state: 'FAILED', trace };
    this.#options.logger.error(`Connector ${this.#options.connectorName} has failed: ${trace}`);
  }
}

function tooLate(connector: string, call: 'start' | 'end its start' | 'stop', limitMs: number): ConnectError {
  return new ConnectError(ConnectErrorCode.timeout, `The instance of connector ${connector} did not ${call} within ${limitMs} ms`);
}
