import type { Command } from '@sluice/core';
import type { ClusterNode, ScopedLog } from '@sluice/platform';
import { OffsetOutOfRangeError } from '@sluice/rocketmq';
import { decodeCommand, MalformedMessageError, readerGroupOf } from '@sluice/protocol';

/** Reads the commands queue from where the coordinator asks. */
export class CommandReader {
  private reading = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly node: ClusterNode,
    private readonly onCommand: (readId: number, offset: number, command: Command) => void,
    private readonly onCut: (readId: number, minOffset: number) => void,
    private readonly log: ScopedLog,
  ) {}

  /** Gives up where it was and reads from `fromOffset` on; what it reads is marked with `readId`. */
  readFrom(readId: number, fromOffset: number, lastRequestId?: string): void {
    this.reading.abort();
    this.reading = new AbortController();
    const { signal } = this.reading;
    this.running = this.follow({ readId, fromOffset, lastRequestId }, signal).catch((error: unknown) => {
      if (!signal.aborted) this.node.fail(error as Error);
    });
  }

  async stop(): Promise<void> {
    this.reading.abort();
    await this.running;
  }

  private async follow({ readId, fromOffset, lastRequestId }: Reading, signal: AbortSignal): Promise<void> {
    const { client, topics, logQueue, settings } = this.node;
    const queue = { topic: topics.commands.name, brokerName: logQueue.brokerName, queueId: 0 };
    const minOffset = await client.admin.minOffset(queue, { signal });
    const cut = (why: string): void => {
      if (signal.aborted) return;
      this.log.warn(`The commands queue was cut or created again: ${why}`);
      this.onCut(readId, minOffset);
    };
    if (fromOffset > (await client.admin.maxOffset(queue, { signal }))) {
      cut(`it ends before offset ${String(fromOffset)}`);
      return;
    }
    // Commands that retention has taken are older than any that could still be carried out.
    let next = Math.max(fromOffset, minOffset);
    const isLastThere = lastRequestId !== undefined && fromOffset > minOffset;
    const group = readerGroupOf(settings.clusterId);
    const reader = client.consumer.readQueue(queue, {
      from: isLastThere ? fromOffset - 1 : next,
      group,
      ahead: 1,
      signal,
    });
    try {
      for (;;) {
        const messages = await reader.next();
        if (signal.aborted) return;
        for (const { queueOffset, body } of messages) {
          if (queueOffset >= next) {
            this.deliver(readId, queueOffset, body);
            next = queueOffset + 1;
          } else if (requestIdOf(body) !== lastRequestId) {
            cut(`the command at offset ${String(queueOffset)} is another one`);
            return;
          }
        }
      }
    } catch (error) {
      if (!(error instanceof OffsetOutOfRangeError)) throw error;
      cut(error.message);
    } finally {
      reader.close();
    }
  }

  private deliver(readId: number, offset: number, body: Buffer): void {
    try {
      this.onCommand(readId, offset, decodeCommand<Command>(body));
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.log.warn(`Command at offset ${String(offset)} is skipped: ${error.message}`);
    }
  }
}

interface Reading {
  readonly readId: number;
  readonly fromOffset: number;
  readonly lastRequestId: string | undefined;
}

function requestIdOf(body: Buffer): string | undefined {
  try {
    return decodeCommand<Command>(body).requestId;
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined;
    throw error;
  }
}
