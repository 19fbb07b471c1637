import { encodePosition, idHash, type LastCopied, type NotCopied, PropertyCopier } from '@sluice/replication';
import { type LogicalMessage, MESSAGE_PROPERTY } from '@sluice/rocketmq';
import type { ConnectError, RawRecord, SourcePosition } from '@sluice/sdk';
import { copyProblem, idWithoutName } from '../flow/copied-message.js';

export type BornTime = 'native' | 'stamp';

export interface MessageCopierOptions {
  /** Identity of the cluster that is read. */
  readonly source: string;
  /** Identity of the cluster that is written. */
  readonly target: string;
  readonly bornTime: BornTime;
}

/** A message for the target, and where its queue is read on after it. */
export interface CopiedMessage {
  readonly raw: RawRecord;
  readonly position: SourcePosition;
}

/** Returns what knows a message again: with its store time it says whether a queue is still the one that was read. */
export function traceOf(message: LogicalMessage): LastCopied {
  return { storeTime: message.storeTimestamp, idHash: idHash(idOf(message)) };
}

/** Makes records of messages. Bodies are not copied: they stay views on the answers of the brokers. */
export class MessageCopier {
  readonly #properties: PropertyCopier;
  readonly #isBornNative: boolean;
  #loops = 0;
  #barriers = 0;

  constructor({ bornTime, ...sides }: MessageCopierOptions) {
    this.#properties = new PropertyCopier({ ...sides, bornTime });
    this.#isBornNative = bornTime === 'native';
  }

  /** How many messages were left out because they had been in the target, and how many because they are barriers and no records. */
  get leftOut(): { readonly loops: number; readonly barriers: number } {
    return { loops: this.#loops, barriers: this.#barriers };
  }

  /** Returns the record of a message; `undefined` for one that is left out on purpose, and why where the message cannot be copied. */
  copy(message: LogicalMessage): CopiedMessage | ConnectError | undefined {
    const { compressed } = message;
    const body = compressed === undefined ? message.body : compressed.body;
    const copied = this.#properties.copy(message.rawProperties, body, message.bornTimestamp);
    if ('why' in copied) return this.#leftOut(message, copied);
    return {
      raw: {
        body,
        properties: copied.properties,
        flag: message.flag,
        sysFlag: compressed === undefined ? 0 : compressed.sysFlag,
        bornAt: this.#isBornNative ? copied.bornAt : undefined,
      },
      position: this.positionBehind(message),
    };
  }

  /** Returns where a queue is read on behind a message. */
  positionBehind(message: LogicalMessage): SourcePosition {
    return encodePosition({ offset: message.queueOffset + 1, last: traceOf(message) });
  }

  #leftOut(message: LogicalMessage, copied: NotCopied): ConnectError | undefined {
    if (copied.why === 'loop') this.#loops++;
    else if (copied.why === 'barrier') this.#barriers++;
    return copyProblem(copied, `the message at offset ${message.queueOffset} of the source`);
  }
}

function idOf(message: LogicalMessage): string {
  const id = message.property(MESSAGE_PROPERTY.messageId);
  return id ?? idWithoutName(message.bornTimestamp, message.propertiesBytes, message.compressed?.body.length ?? message.bodyBytes);
}
