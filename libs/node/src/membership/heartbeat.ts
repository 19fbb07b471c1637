import type { Report } from '@sluice/core';
import { SHORTEST_REPORT_PAUSE_MS } from '@sluice/protocol';
import { pause } from '@sluice/time';
import type { OutageLogger } from '../logging/outage-logger.js';
import type { ReportRhythm, ReportsChannel } from './reports-channel.js';

const LAST_REPORT_TIMEOUT_MS = 2000;

/** Sends the node's state every second or two and, through {@link announce}, at once when it changed. One report is in flight at a time. */
export class Heartbeat {
  readonly #ended = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #reportSeq = 0;

  constructor(
    private readonly channel: ReportsChannel,
    private readonly describe: () => Omit<Report, 'reportSeq' | 'sentAt'>,
    private readonly rhythm: () => ReportRhythm,
    private readonly outage: OutageLogger,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Sends a report at once, since the state changed. */
  announce(): void {
    this.#wake.abort();
  }

  /** Stops the beat with a last report that says so. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
    await this.#send(AbortSignal.timeout(LAST_REPORT_TIMEOUT_MS), { leaving: true });
  }

  async #run(): Promise<void> {
    const signal = this.#ended.signal;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#send(signal);
      await pause(SHORTEST_REPORT_PAUSE_MS, signal);
      await pause(this.rhythm().intervalMs - SHORTEST_REPORT_PAUSE_MS, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #send(signal: AbortSignal, more: Partial<Report> = {}): Promise<void> {
    this.#reportSeq += 1;
    try {
      const report = { ...this.describe(), ...more, reportSeq: this.#reportSeq, sentAt: Date.now() };
      await this.channel.send(report, this.rhythm(), signal);
      this.outage.worked();
    } catch (error) {
      if (signal.aborted) return;
      this.outage.failed(`A report could not be sent: ${(error as Error).message}`);
    }
  }
}
