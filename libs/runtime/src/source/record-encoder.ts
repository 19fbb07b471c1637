import { isUtf8 } from 'node:buffer';
import { type MessageParts, type MessageHeader, recordToMessage } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type Converter, type RecordHeader, type SourceRecord } from '@sluice/sdk';
import type { Converters } from '../converters/converter.js';
import { StringConverter } from '../converters/string.converter.js';

/** Turns records of a source into messages. */
export interface RecordEncoder {
  /** Throws when the record cannot be converted or is too large for a message. */
  encode(record: SourceRecord, stamp: string): MessageParts;
}

/** Encodes with a connector's converters. */
export class ConvertingEncoder implements RecordEncoder {
  constructor(private readonly converters: Converters) {}

  encode(record: SourceRecord, stamp: string): MessageParts {
    const { key, value, header } = this.converters;
    let headers: MessageHeader[] | undefined;
    if (record.headers !== undefined && record.headers.length > 0) {
      headers = [];
      for (const item of record.headers) headers.push({ key: item.key, value: headerValue(header, item, record.topic) });
    }
    return recordToMessage(
      {
        key: record.key === undefined ? undefined : key.toBytes(record.key, record.keySchema, record.topic),
        value: value.toBytes(record.value, record.schema, record.topic),
        headers,
        timestamp: record.timestamp,
        rocketmq: record.rocketmq,
      },
      record,
      stamp,
    );
  }
}

/** Leaves bytes and nulls as they are, and texts where headers are plain texts; the converter makes a text of everything else. */
function headerValue(converter: Converter, { key, value, schema }: RecordHeader, topic: string): string | Uint8Array | null {
  if (value === null || value instanceof Uint8Array || (typeof value === 'string' && converter instanceof StringConverter)) return value;
  const bytes = converter.toBytes(value, schema, topic);
  if (bytes === null) return null;
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  throw new ConnectError(
    ConnectErrorCode.conversionFailed,
    `Header ${JSON.stringify(key)}: the header converter made bytes that are no UTF-8; a header is a text`,
  );
}
