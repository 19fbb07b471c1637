import { idHash, PropertyCopier, type PropertyCopierOptions, type ReadPosition } from '@sluice/replication';
import { MESSAGE_PROPERTY, SYS_FLAG } from '@sluice/rocketmq';
import { ConnectError, ConnectErrorCode, type RawRecord, type SinkRecord } from '@sluice/sdk';
import { copyProblem, idWithoutName } from '../flow/copied-message.js';

/** A message for the target, without a stamp. */
export interface RecordCopy {
  readonly record: SinkRecord;
  readonly body: Uint8Array;
  readonly properties: Buffer;
  readonly flag: number;
  /** Of the request: a batch holds messages that agree in both. */
  readonly sysFlag: number;
  readonly bornAt: number | undefined;
  /** Where the queue of the source is read after it. */
  readonly position: ReadPosition;
}

const VALUE_END = 2;
const ID_NEEDLE = Buffer.from(`${MESSAGE_PROPERTY.messageId}\u0001`);
const COMPRESSION = SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_TYPE_MASK;

/** Makes copies of records. Bodies stay views on the answers of the brokers. */
export class RecordCopier {
  readonly #properties: PropertyCopier;
  readonly #isBornNative: boolean;

  constructor(options: PropertyCopierOptions) {
    this.#properties = new PropertyCopier(options);
    this.#isBornNative = options.bornTime === 'native';
  }

  /** Returns the copy of a record; `undefined` for one that is left out on purpose, and why where it cannot be copied. */
  copy(record: SinkRecord): RecordCopy | ConnectError | undefined {
    const { raw } = record;
    if (raw === undefined) return new ConnectError(ConnectErrorCode.recordInvalid, 'it has no raw message');
    const { body, flag, bornAt: storedBornAt = 0 } = raw;
    const block = asBuffer(raw.properties);
    const copied = this.#properties.copy(block, body, storedBornAt);
    if ('why' in copied) return copyProblem(copied, 'it');
    const { properties, bornAt } = copied;
    const position = { offset: record.offset + 1, last: traceOf(raw, block) };
    return {
      record,
      body,
      properties,
      flag,
      sysFlag: raw.sysFlag & COMPRESSION,
      bornAt: this.#isBornNative ? bornAt : undefined,
      position,
    };
  }
}

/** Returns what `traceOf` of the source returns for the same message. */
function traceOf({ body, bornAt, storedAt }: RawRecord, block: Buffer): ReadPosition['last'] {
  if (storedAt === undefined) return undefined;
  return { storeTime: storedAt, idHash: idHash(idIn(block) ?? idWithoutName(bornAt, block.length, body.length)) };
}

function idIn(block: Buffer): string | undefined {
  for (let at = block.lastIndexOf(ID_NEEDLE); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(ID_NEEDLE, at - 1)) {
    if (at > 0 && block[at - 1] !== VALUE_END) continue;
    const from = at + ID_NEEDLE.length;
    const found = block.indexOf(VALUE_END, from);
    const id = block.toString('utf8', from, found < 0 ? block.length : found);
    if (id !== '') return id;
  }
  return undefined;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
