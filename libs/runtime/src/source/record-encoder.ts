import { type MessageParts, type MessageHeader, recordToMessage } from '@sluice/protocol';
import type { Converter, RecordHeader, SourceRecord } from '@sluice/sdk';
import type { Converters } from '../converters/converter.js';

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
      },
      record,
      stamp,
    );
  }
}

/** Leaves texts, bytes and nulls as they are; everything else becomes the text that the converter makes of it. */
function headerValue(converter: Converter, { value, schema }: RecordHeader, topic: string): string | Uint8Array | null {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value;
  const bytes = converter.toBytes(value, schema, topic);
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
