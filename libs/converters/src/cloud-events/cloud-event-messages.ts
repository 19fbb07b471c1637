import { isUtf8 } from 'node:buffer';
import {
  type BytesAndHeaders,
  ConfigError,
  type ConnectValue,
  type Converter,
  type MessageHeader,
  type RawConfig,
  type RecordPart,
  requireConfig,
  type Schema,
  type SchemaAndValue,
  type ValueAndHeaders,
} from '@sluice/sdk';
import { type Attribute, type Attributes, attributesOf } from './cloud-event.js';
import { bytesIn, CloudEventsConverter, converting, type Event, NAME, requireText } from './cloud-events.converter.js';
import { cloudEventsConverterSpec, type CloudEventsSettings } from './cloud-events-settings.js';
import { EVENT_TYPE, foreignCharset, isJson, isUtf8Text, JSON_TYPE } from './content-type.js';
import { type Binding, CONTENT_TYPE, readEventHeaders, withEventHeaders } from './event-headers.js';

const HALF_PAIR = /\p{Surrogate}/u;
const NO_ATTRIBUTES: Attributes = new Map<string, Attribute>();
const STRUCTURED: Attributes = new Map([[CONTENT_TYPE, EVENT_TYPE]]);

/** Makes a converter of events; that of values writes and reads headers, too. @throws ConfigError */
export function cloudEventsConverter(raw: RawConfig, part: RecordPart): Converter {
  if (part === 'header') {
    const message = `${NAME} converts keys and values; an event is no header.`;
    throw new ConfigError('The choice of converters', [{ field: 'header.converter', message }]);
  }
  const settings = requireConfig(`The configuration of ${NAME}`, cloudEventsConverterSpec, raw, { unknownKeys: 'ignore' });
  const structured = new CloudEventsConverter(settings);
  return part === 'value' ? new CloudEventMessages(structured, settings) : structured;
}

/**
 * Writes events into values and headers. In the structured mode all is in the value, beside a header with the content type. In the binary mode
 * the value is the data alone. Reads both modes, whatever the settings say. A value without headers about an event is a structured one.
 */
class CloudEventMessages implements Converter {
  readonly #isBinary: boolean;
  readonly #binding: Binding;

  constructor(
    private readonly structured: CloudEventsConverter,
    settings: CloudEventsSettings,
  ) {
    this.#isBinary = settings['content.mode'] === 'binary';
    this.#binding = settings.binding;
  }

  toBytes(value: ConnectValue, schema: Schema | undefined, topic: string): Uint8Array | null {
    return this.structured.toBytes(value, schema, topic);
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    return this.structured.fromBytes(bytes);
  }

  toBytesAndHeaders(value: ConnectValue, schema: Schema | undefined, topic: string, headers: readonly MessageHeader[]): BytesAndHeaders {
    const withHeaders = (attributes: Attributes): readonly MessageHeader[] => withEventHeaders(headers, attributes, this.#binding);
    return converting(() => {
      if (value === null) return { bytes: null, headers: withHeaders(NO_ATTRIBUTES) };
      if (!this.#isBinary) return { bytes: this.structured.toBytes(value, schema, topic), headers: withHeaders(STRUCTURED) };
      const event = this.structured.eventOf(value, schema, topic);
      const bytes = this.#dataBytes(event);
      const { attributes } = event;
      // Without a content type, data in JSON means JSON; what leaves the format has to say so (CloudEvents 1.0.2, section 3.1.1).
      const isImplied = bytes !== null && !attributes.has(CONTENT_TYPE) && bytesIn(event.data, event.schema) === undefined;
      return { bytes, headers: withHeaders(isImplied ? new Map([...attributes, [CONTENT_TYPE, JSON_TYPE]]) : attributes) };
    });
  }

  fromBytesAndHeaders(bytes: Buffer | null, _topic: string, headers: readonly MessageHeader[]): ValueAndHeaders {
    return converting(() => {
      const found = readEventHeaders(headers);
      if (found === undefined) return { ...this.structured.fromBytes(bytes), headers };
      if (!found.isBinary) return { ...this.structured.fromBytes(bytes), headers: found.rest };
      const attributes = attributesOf(Object.fromEntries(found.attributes));
      const data = this.#dataIn(bytes, attributes.get(CONTENT_TYPE), found.binding);
      return { ...this.structured.valueOf({ attributes, data: data?.value, schema: data?.schema }), headers: found.rest };
    });
  }

  #dataBytes({ attributes, data, schema }: Event): Uint8Array | null {
    if (data === undefined || data === null) return null;
    const bytes = bytesIn(data, schema) ?? this.#textBytes(data, schema, attributes.get(CONTENT_TYPE));
    if (this.#binding === 'rocketmq' && bytes !== null && isNoData(bytes))
      throw new TypeError('The data is one byte of 0, which means no data with binding=rocketmq; binding=kafka keeps it');
    return bytes;
  }

  #textBytes(data: ConnectValue, schema: Schema | undefined, contentType: Attribute | undefined): Uint8Array | null {
    if (isJson(contentType)) return this.structured.jsonOf(data, schema);
    const text = requireText(data, contentType);
    const charset = contentType === undefined ? undefined : foreignCharset(contentType);
    if (charset !== undefined) throw new TypeError(`The data is a text, which is written in UTF-8; the datacontenttype says ${charset}`);
    if (HALF_PAIR.test(text)) throw new TypeError('The data holds half a surrogate pair, which UTF-8 cannot hold');
    return Buffer.from(text, 'utf8');
  }

  #dataIn(bytes: Buffer | null, contentType: Attribute | undefined, binding: Binding): SchemaAndValue | undefined {
    if (bytes === null || (binding === 'rocketmq' && isNoData(bytes))) return undefined;
    if (contentType !== undefined && isJson(contentType)) return bytes.length === 0 ? undefined : this.structured.fromJson(bytes);
    if (!isUtf8Text(contentType)) return { value: bytes };
    if (isUtf8(bytes)) return { value: bytes.toString('utf8') };
    throw new TypeError(`The data is no text in UTF-8, as the datacontenttype ${contentType} says`);
  }
}

function isNoData(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}
