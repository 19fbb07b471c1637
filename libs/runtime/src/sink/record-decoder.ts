import { MessageAttributes, messageToRecord, type MessageHeader } from '@sluice/protocol';
import type { Converter, QueueRef, RecordHeader, SinkRecord } from '@sluice/sdk';
import type { Converters } from '../converters/converter.js';
import type { RawMessage } from '../ports/queue-messages.port.js';

/** Turns messages into records for a sink. */
export interface RecordDecoder {
  /** Throws when the message cannot be converted. */
  decode(queue: QueueRef, message: RawMessage): SinkRecord;
}

/** Decodes with a connector's converters. A record without a timestamp of its own has the message's. */
export class ConvertingDecoder implements RecordDecoder {
  constructor(private readonly converters: Converters) {}

  decode(queue: QueueRef, message: RawMessage): SinkRecord {
    const { key: keyConverter, value: valueConverter, header: headerConverter } = this.converters;
    const decoded = messageToRecord({ body: message.body, properties: message.rawProperties });
    const { value, schema } = valueConverter.fromBytes(decoded.value, queue.topic);
    const key = decoded.key === undefined ? undefined : keyConverter.fromBytes(decoded.key, queue.topic);
    return {
      topic: queue.topic,
      value,
      ...(schema === undefined ? undefined : { schema }),
      ...(key === undefined ? undefined : { key: key.value }),
      ...(key?.schema === undefined ? undefined : { keySchema: key.schema }),
      ...(decoded.headers.length === 0
        ? undefined
        : { headers: decoded.headers.map((header) => recordHeader(headerConverter, header, queue.topic)) }),
      timestamp: decoded.timestamp ?? message.bornTimestamp,
      rocketmq: new MessageAttributes(message.rawProperties, message.bornTimestamp),
      queue,
      offset: message.queueOffset,
    };
  }
}

function recordHeader(converter: Converter, { key, value }: MessageHeader, topic: string): RecordHeader {
  if (typeof value !== 'string') return { key, value };
  const converted = converter.fromBytes(Buffer.from(value, 'utf8'), topic);
  return {
    key,
    value: converted.value,
    ...(converted.schema === undefined ? undefined : { schema: converted.schema }),
  };
}
