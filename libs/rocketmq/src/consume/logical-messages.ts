import { RocketMqError } from '../errors.js';
import type { InnerMessage } from '../wire/inner-batch.js';
import type { StoredMessage } from '../wire/stored-message.js';
import { SYS_FLAG } from '../wire/sys-flag.js';

/** A stored message whose bytes, body or inner batch cannot be read; `cause` says why. */
export class MessageUnreadableError extends RocketMqError {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;

  constructor(
    message: { readonly topic: string; readonly queueId: number; readonly queueOffset: number },
    cause: unknown,
    /** Where the queue continues behind the message; undefined where the caller gave the message and knows that. */
    readonly nextOffset?: number,
  ) {
    const { topic, queueId, queueOffset } = message;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('MESSAGE_UNREADABLE', `message at offset ${queueOffset} of ${topic}/${queueId}: ${reason}`, {
      retriable: false,
      cause,
    });
    this.topic = topic;
    this.queueId = queueId;
    this.queueOffset = queueOffset;
  }
}

/** A message as its producer made it: never an inner batch, and its body is not compressed. */
export interface LogicalMessage extends InnerMessage {
  /** Where the body is compressed: its stored bytes, and the bits of `SYS_FLAG` that say how. */
  readonly compressed?: { readonly body: Buffer; readonly sysFlag: number };
}

export interface LogicalMessagesOptions {
  /** Limit of what one compressed body or one inner batch may hold. Default 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
}

/**
 * Returns the messages from `fromOffset` on that stored messages stand for: inner batches are unwrapped, compressed bodies are
 * decompressed at their first use. Plain messages are given as they are; if all are, so is the list.
 *
 * A compressed body that cannot be read throws MessageUnreadableError where `body` is read, so that the others can be
 * used and its properties too.
 * @throws MessageUnreadableError for an inner batch that cannot be read
 */
export function logicalMessages(
  stored: readonly StoredMessage[],
  fromOffset: number,
  options: LogicalMessagesOptions = {},
): readonly LogicalMessage[] {
  if (stored.every((message) => isPlain(message) && message.queueOffset >= fromOffset)) return stored;
  const messages: LogicalMessage[] = [];
  for (const message of stored) {
    if (message.isInnerBatch) {
      for (const inner of unwrap(message, options)) if (inner.queueOffset >= fromOffset) messages.push(inner);
    } else if (message.queueOffset >= fromOffset) {
      messages.push(message.isCompressed ? new CompressedMessage(message, options) : message);
    }
  }
  return messages;
}

function isPlain(message: StoredMessage): boolean {
  return !message.isCompressed && !message.isInnerBatch;
}

function unwrap(message: StoredMessage, options: LogicalMessagesOptions): InnerMessage[] {
  try {
    return message.unwrapInnerBatch(options.maxBodyBytes);
  } catch (cause) {
    throw new MessageUnreadableError(message, cause);
  }
}

class CompressedMessage implements LogicalMessage {
  #body: Buffer | undefined;

  constructor(
    private readonly stored: StoredMessage,
    private readonly options: LogicalMessagesOptions,
  ) {}

  get body(): Buffer {
    this.#body ??= this.#decompress();
    return this.#body;
  }

  /** Decompresses the body: who counts what is held must not count less than that. One that cannot be decompressed is held as it is stored. */
  get bodyBytes(): number {
    try {
      return this.body.length;
    } catch {
      return this.stored.bodyBytes;
    }
  }

  get compressed(): { readonly body: Buffer; readonly sysFlag: number } {
    const { body, sysFlag } = this.stored;
    return { body, sysFlag: sysFlag & (SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_TYPE_MASK) };
  }

  get topic(): string {
    return this.stored.topic;
  }

  get queueId(): number {
    return this.stored.queueId;
  }

  get queueOffset(): number {
    return this.stored.queueOffset;
  }

  get bornTimestamp(): number {
    return this.stored.bornTimestamp;
  }

  get storeTimestamp(): number {
    return this.stored.storeTimestamp;
  }

  get flag(): number {
    return this.stored.flag;
  }

  get rawProperties(): Buffer {
    return this.stored.rawProperties;
  }

  get propertiesBytes(): number {
    return this.stored.propertiesBytes;
  }

  property(name: string): string | undefined {
    return this.stored.property(name);
  }

  select(names: readonly string[]): (string | undefined)[] {
    return this.stored.select(names);
  }

  properties(): Map<string, string> {
    return this.stored.properties();
  }

  #decompress(): Buffer {
    try {
      return this.stored.decompressedBody(this.options.maxBodyBytes);
    } catch (cause) {
      throw new MessageUnreadableError(this.stored, cause);
    }
  }
}
