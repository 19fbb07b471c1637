import type { Report } from '@sluice/core';
import {
  decodeReportsMessage,
  encodeProbe,
  MalformedMessageError,
  ReportAssembler,
  reportLimits,
  reportsQueueOf,
  ReportWriter,
  type ClusterTopics,
  type Probe,
} from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { untilAnswered } from '../adapters/known-queue.js';
import type { ScopedLog } from '../logging/node-log.js';

const sendTimeoutMs = 3000;

/** Whole states are told often enough to find one of each node within this time. */
const lookBackMs = 3 * reportLimits.fullIntervalMs;

export type HeardReport =
  | { readonly kind: 'report'; readonly report: Report }
  /** A report of which the whole is not known, or one that came twice. */
  | { readonly kind: 'alive'; readonly nodeId: string; readonly incarnation: string; readonly reportSeq: number }
  | { readonly kind: 'probe'; readonly probe: Probe };

export type ReportsListener = (message: HeardReport, queueId: number) => void;

/** Writes and reads the reports topic. */
export class ReportsChannel {
  private malformed = 0;
  private readonly writer = new ReportWriter<Report>();

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

  /** One report of this node at a time. */
  async send(report: Report, allowsDeltas: boolean, signal: AbortSignal): Promise<void> {
    const queue = this.queue(reportsQueueOf(report.nodeId, this.topics));
    try {
      for (const body of this.writer.messagesOf(report, performance.now(), allowsDeltas))
        await this.client.producer.send(queue, { body }, { timeoutMs: sendTimeoutMs, signal });
    } catch (error) {
      this.writer.forget();
      throw error;
    }
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

  /** Tells what arrives from now on until `signal` is aborted. */
  async follow(listener: ReportsListener, signal: AbortSignal): Promise<void> {
    await Promise.all(this.queueIds.map((queueId) => this.followQueue(queueId, listener, signal)));
  }

  private async followQueue(queueId: number, listener: ReportsListener, signal: AbortSignal): Promise<void> {
    const queue = this.queue(queueId);
    const { admin, consumer } = this.client;
    const now = await untilAnswered(() => admin.maxOffset(queue, { signal }), signal);
    const from = now === 0 ? 0 : Math.min(now, await this.lookBack(queue, now - 1, signal));
    const assembler = new ReportAssembler<Report>();
    const reader = consumer.readQueue(queue, { from, group: this.group, ahead: 1, signal });
    try {
      while (!signal.aborted) {
        for (const message of await reader.next()) {
          try {
            const heard = understood(assembler, message);
            if (message.queueOffset >= now) listener(heard, queueId);
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

  /** Where to begin to find a whole report of each node, by the broker's clock: this node's own may be wrong by any time. */
  private async lookBack(queue: QueueRef, lastOffset: number, signal: AbortSignal): Promise<number> {
    const { admin, consumer } = this.client;
    const question = { queue, offset: lastOffset, group: this.group, maxMessages: 1, suspendMs: 0, signal };
    const { messages } = await untilAnswered(() => consumer.pull(question), signal);
    const storedAt = messages[0]?.storeTimestamp ?? Date.now();
    return untilAnswered(() => admin.offsetByTime(queue, storedAt - lookBackMs, { signal }), signal);
  }

  private queue(queueId: number): QueueRef {
    return { topic: this.topics.reports.name, brokerName: this.brokerName, queueId };
  }
}

/** @throws MalformedMessageError */
function understood(
  assembler: ReportAssembler<Report>,
  { body, storeTimestamp }: { readonly body: Buffer; readonly storeTimestamp: number },
): HeardReport {
  const message = decodeReportsMessage<Report>(body);
  if (message.kind === 'probe') return message;
  const report = assembler.take(message, storeTimestamp);
  if (report !== undefined) return { kind: 'report', report };
  const { nodeId, incarnation, reportSeq } = message.report;
  return { kind: 'alive', nodeId, incarnation, reportSeq };
}
