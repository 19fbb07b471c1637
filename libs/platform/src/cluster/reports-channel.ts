import type { Report } from '@sluice/core';
import {
  decodeReportsMessage,
  encodeProbe,
  encodeReport,
  MalformedMessageError,
  reportsQueueOf,
  type ClusterTopics,
  type Probe,
  type ReportsMessage,
} from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { untilAnswered } from '../adapters/known-queue.js';
import type { ScopedLog } from '../logging/node-log.js';

const sendTimeoutMs = 3000;

export type ReportsListener = (message: ReportsMessage<Report>, queueId: number) => void;

/** Writes and reads the reports topic. */
export class ReportsChannel {
  private malformed = 0;

  constructor(
    private readonly client: RocketMqClient,
    private readonly topics: ClusterTopics,
    private readonly brokerName: string,
    private readonly group: string,
    private readonly log: ScopedLog,
  ) {}

  /** Messages that could not be understood. */
  get malformedCount(): number {
    return this.malformed;
  }

  async send(report: Report, signal: AbortSignal): Promise<void> {
    const queue = this.queue(reportsQueueOf(report.nodeId, this.topics));
    await this.client.producer.send(queue, { body: encodeReport(report) }, { timeoutMs: sendTimeoutMs, signal });
  }

  async sendProbe(queueId: number, probe: Probe, signal: AbortSignal): Promise<void> {
    await this.client.producer.send(
      this.queue(queueId),
      { body: encodeProbe(probe) },
      { timeoutMs: sendTimeoutMs, signal },
    );
  }

  get queueIds(): readonly number[] {
    return Array.from({ length: this.topics.reports.queues }, (_, id) => id);
  }

  /** Reads what arrives from now on until `signal` is aborted. */
  async follow(listener: ReportsListener, signal: AbortSignal): Promise<void> {
    await Promise.all(this.queueIds.map((queueId) => this.followQueue(queueId, listener, signal)));
  }

  private async followQueue(queueId: number, listener: ReportsListener, signal: AbortSignal): Promise<void> {
    const queue = this.queue(queueId);
    const from = await untilAnswered(() => this.client.admin.maxOffset(queue, { signal }), signal);
    const reader = this.client.consumer.readQueue(queue, { from, group: this.group, ahead: 1, signal });
    try {
      while (!signal.aborted) {
        for (const message of await reader.next()) {
          try {
            listener(decodeReportsMessage<Report>(message.body), queueId);
          } catch (error) {
            if (!(error instanceof MalformedMessageError)) throw error;
            this.malformed += 1;
            this.log.warn(error.message);
          }
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      reader.close();
    }
  }

  private queue(queueId: number): QueueRef {
    return { topic: this.topics.reports.name, brokerName: this.brokerName, queueId };
  }
}
