import { pause, RateLimitedLogger } from '@sluice/time';
import { isReport, LONGEST_REPORT_INTERVAL_MS, type Report } from '@sluice/core';
import {
  encodeProbe,
  MalformedMessageError,
  ReportAssembler,
  reportLimits,
  reportsQueueOf,
  ReportWriter,
  type ClusterTopics,
  type Heard,
  type Probe,
} from '@sluice/protocol';
import { OffsetOutOfRangeError, type QueueRef, type RocketMqClient, type StoredMessage } from '@sluice/rocketmq';
import { REFUSED_PAUSE_MS, untilAnswered } from '../log/known-queue.js';
import { type ScopedLogger, WARNING_INTERVAL_MS } from '../logging/process-logger.js';

const SEND_TIMEOUT_MS = 3000;

/** Nodes report their whole state often enough to find one of each within this time. */
const lookBackMs = reportLimits.fullAfterIntervals * LONGEST_REPORT_INTERVAL_MS + 30_000;

export type HeardReport = Heard<Report>;

/** Takes the messages of one answer, at least one; `storedAt` is when the broker stored the newest, by its own clock. */
export type ReportsListener = (messages: readonly HeardReport[], queueId: number, storedAt: number) => void;

/** A queue with more messages a second is busy: about one in this time is read without a pause. */
const FREE_MESSAGE_MS = 25;
const FREE_MESSAGES = 40;

/** Lets the messages of a busy queue come together: a large cluster costs its readers a few pulls a second, not one per message. */
const BUSY_PAUSE_MS = 100;

interface QueueFollowing {
  readonly listener: ReportsListener;
  readonly warnings: RateLimitedLogger;
  readonly onEnd: (queueId: number) => void;
}

/** How a node reports at the moment. */
export interface ReportRhythm {
  /** Whether all nodes of the cluster understand reports of what is new only. */
  readonly allowsDeltas: boolean;
  readonly intervalMs: number;
}

/** Writes and reads the reports topic. */
export class ReportsChannel {
  #malformed = 0;
  readonly #writer = new ReportWriter<Report>();

  constructor(
    private readonly client: RocketMqClient,
    private readonly topics: ClusterTopics,
    private readonly brokerName: string,
    private readonly group: string,
    private readonly logger: ScopedLogger,
  ) {}

  /** Messages that could not be understood, or that somebody else than the node wrote. */
  get malformedCount(): number {
    return this.#malformed;
  }

  /** Sends one report of this node at a time; `intervalMs` is how often it reports now. */
  async send(report: Report, { allowsDeltas, intervalMs }: ReportRhythm, signal: AbortSignal): Promise<void> {
    const queue = this.#queue(reportsQueueOf(report.nodeId, this.topics));
    try {
      for (const body of this.#writer.messagesOf(report, performance.now(), allowsDeltas, intervalMs))
        await this.client.producer.send(queue, { body }, { timeoutMs: SEND_TIMEOUT_MS, signal });
    } catch (error) {
      this.#writer.forget();
      throw error;
    }
  }

  async sendProbe(queueId: number, probe: Probe, signal: AbortSignal): Promise<void> {
    await this.client.producer.send(this.#queue(queueId), { body: encodeProbe(probe) }, { timeoutMs: SEND_TIMEOUT_MS, signal });
  }

  get queueIds(): readonly number[] {
    return Array.from({ length: this.topics.reports.queues }, (_, id) => id);
  }

  /**
   * Notifies the listener of what arrives from now on until `signal` is aborted, at the latest 100 ms after it came. Where a queue has lost its
   * end, reads from the end that is left.
   *
   * @param onListening is called once all queues are read up to where they ended at the call: what comes then is heard soon.
   */
  async follow(listener: ReportsListener, signal: AbortSignal, onListening?: () => void): Promise<void> {
    const unread = new Set(this.queueIds);
    const onEnd = (queueId: number): void => {
      if (unread.delete(queueId) && unread.size === 0) onListening?.();
    };
    const warnings = new RateLimitedLogger({
      log: this.logger.warn.bind(this.logger),
      intervalMs: WARNING_INTERVAL_MS,
      signal,
    });
    const followQueue = (queueId: number): Promise<void> => this.#followQueue(queueId, { listener, warnings, onEnd }, signal);
    await Promise.all(this.queueIds.map(followQueue));
  }

  async #followQueue(queueId: number, { listener, warnings, onEnd }: QueueFollowing, signal: AbortSignal): Promise<void> {
    const queue = this.#queue(queueId);
    const { admin } = this.client;
    const assembler = new ReportAssembler<Report>({
      isWhole: isReport,
      isOwnQueue: (nodeId) => reportsQueueOf(nodeId, this.topics) === queueId,
      onRestart: (nodeId, incarnation) => {
        warnings.write(`Somebody else wrote a report of node ${nodeId} (incarnation ${incarnation}); the node's own are used again`);
      },
    });
    try {
      let end = await untilAnswered(() => admin.maxOffset(queue, { signal }), signal);
      let from = end === 0 ? 0 : Math.min(end, await this.#lookBack(queue, end - 1, signal));
      let readTo = from;
      const tell = (messages: readonly StoredMessage[]): void => {
        const heard: HeardReport[] = [];
        let storedAt = 0;
        for (const message of messages) {
          readTo = message.queueOffset + 1;
          const each = this.#understood(assembler, message, warnings);
          if (each === undefined || message.queueOffset < end) continue;
          heard.push(each);
          storedAt = Math.max(storedAt, message.storeTimestamp);
        }
        if (heard.length > 0) listener(heard, queueId, storedAt);
        if (readTo >= end) onEnd(queueId);
      };
      while (!signal.aborted) {
        if (from >= end) onEnd(queueId);
        const lost = await this.#readUntilLost(queue, from, tell, signal);
        const isStuck = readTo === from && from === lost.range.maxOffset;
        readTo = from = end = lost.range.maxOffset;
        this.logger.warn(`Queue ${queueId} of the reports is read from its end ${end}: ${lost.message}`);
        if (isStuck) await pause(REFUSED_PAUSE_MS, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Resolves when the queue does not have the offset any more that is to be read next. */
  async #readUntilLost(
    queue: QueueRef,
    from: number,
    tell: (messages: readonly StoredMessage[]) => void,
    signal: AbortSignal,
  ): Promise<OffsetOutOfRangeError> {
    // Nothing is pulled ahead: what comes during a pause is one answer.
    const reader = this.client.consumer.readQueue(queue, { from, group: this.group, ahead: 0, signal });
    let free = FREE_MESSAGES;
    let pulledAt = performance.now();
    try {
      for (;;) {
        const messages = await reader.next();
        tell(messages);
        const now = performance.now();
        free = Math.min(FREE_MESSAGES, free + (now - pulledAt) / FREE_MESSAGE_MS) - messages.length;
        pulledAt = now;
        const isAtEnd = reader.position >= (reader.maxOffset ?? 0);
        if (free < 0 && isAtEnd) await pause(BUSY_PAUSE_MS, signal);
        free = Math.max(0, free);
      }
    } catch (error) {
      if (error instanceof OffsetOutOfRangeError) return error;
      throw error;
    } finally {
      reader.close();
    }
  }

  /** Where to begin to find a whole report of each node, by the broker's clock: this node's own may be wrong by any time. */
  async #lookBack(queue: QueueRef, lastOffset: number, signal: AbortSignal): Promise<number> {
    const { admin, consumer } = this.client;
    const question = { queue, offset: lastOffset, group: this.group, maxMessages: 1, suspendMs: 0, signal };
    const { messages } = await untilAnswered(() => consumer.pull(question), signal);
    const storedAt = messages[0]?.storeTimestamp ?? Date.now();
    return untilAnswered(() => admin.offsetByTime(queue, storedAt - lookBackMs, { signal }), signal);
  }

  #understood(
    assembler: ReportAssembler<Report>,
    { body, storeTimestamp }: StoredMessage,
    warnings: RateLimitedLogger,
  ): HeardReport | undefined {
    try {
      return assembler.read(body, storeTimestamp);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.#malformed += 1;
      warnings.write(error.message);
      return undefined;
    }
  }

  #queue(queueId: number): QueueRef {
    return { topic: this.topics.reports.name, brokerName: this.brokerName, queueId };
  }
}
