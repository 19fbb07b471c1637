import { randomUUID } from 'node:crypto';
import {
  ConfigError,
  type ConnectValue,
  type Converter,
  isConnectObject,
  plainJson,
  type RawConfig,
  type RecordPart,
  requireConfig,
  type Schema,
  type SchemaAndValue,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { JsonConverter, jsonConverterSpec } from '../json/json.converter.js';
import { type Attributes, attributesOf, DATA, DATA_BASE64, EventSchemas, isEvent, isJson, SPEC_VERSION } from './cloud-event.js';
import { cloudEventsConverterSpec, type CloudEventsSettings } from './cloud-events-settings.js';

const NAME = 'CloudEventsConverter';
const DEFAULT_TYPE = 'sluice.record';
const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';
const MAX_SHAPES = 100;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Makes a converter to and from events in JSON. @throws ConfigError */
export function cloudEventsConverter(raw: RawConfig, part: RecordPart): Converter {
  if (part === 'header') {
    const message = `${NAME} converts keys and values; an event is no header.`;
    throw new ConfigError('The choice of converters', [{ field: 'header.converter', message }]);
  }
  return new CloudEventsConverter(requireConfig(`The configuration of ${NAME}`, cloudEventsConverterSpec, raw, { unknownKeys: 'ignore' }));
}

/**
 * Writes each value as the data of an event in JSON, the structured mode of CloudEvents 1.0. Reads events as their attributes with their
 * data. A value that is an event stays the one that it is. See https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
class CloudEventsConverter implements Converter {
  readonly #event: JsonConverter;
  readonly #data: JsonConverter;
  readonly #schemas = new EventSchemas(MAX_SHAPES);

  constructor(private readonly settings: CloudEventsSettings) {
    const json = (settings: RawConfig): JsonConverter => new JsonConverter(requireConfig(NAME, jsonConverterSpec, settings));
    this.#event = json({ 'schemas.enable': 'false' });
    this.#data = json({
      'schemas.enable': String(settings['json.schemas.enable']),
      'decimal.format': settings['json.decimal.format'],
      'replace.null.with.default': String(settings['json.replace.null.with.default']),
    });
  }

  toBytes(value: ConnectValue, schema: Schema | undefined, topic: string): Uint8Array | null {
    if (value === null) return null;
    return converting(() => {
      if (isEvent(value, schema) && isConnectObject(value)) {
        const dataSchema = schema?.fields?.find(({ name }) => name === DATA)?.schema;
        return this.#bytesOf(attributesOf(value), value[DATA], dataSchema);
      }
      const { source, type, datacontenttype, dataschema } = this.settings;
      const attributes = new Map([
        ['specversion', SPEC_VERSION],
        ['id', randomUUID()],
        ['source', source ?? `/topics/${encodeURIComponent(topic)}`],
        ['type', type ?? schema?.name ?? DEFAULT_TYPE],
        ['datacontenttype', datacontenttype ?? (value instanceof Uint8Array ? BYTES_TYPE : JSON_TYPE)],
      ]);
      if (dataschema !== undefined) attributes.set('dataschema', dataschema);
      return this.#bytesOf(attributes, value, schema);
    });
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null };
    return converting(() => {
      const { value: event } = this.#event.fromBytes(bytes);
      if (!isConnectObject(event)) throw new TypeError('The bytes are no event: an object of JSON is needed, one for each message');
      const attributes = attributesOf(event);
      const data = this.#dataOf(event, attributes);
      if (data === undefined) return { value: Object.fromEntries(attributes) };
      const value = { ...Object.fromEntries(attributes), [DATA]: data.value };
      return data.schema === undefined ? { value } : { value, schema: this.#schemas.of(attributes, data.schema) };
    });
  }

  #bytesOf(attributes: Attributes, value: ConnectValue | undefined, schema: Schema | undefined): Buffer {
    const text = JSON.stringify(Object.fromEntries(attributes)).slice(0, -1);
    return Buffer.from(`${text}${this.#dataText(value, schema, attributes)}}`, 'utf8');
  }

  #dataText(value: ConnectValue | undefined, schema: Schema | undefined, attributes: Attributes): string {
    if (value === undefined) return '';
    if (value instanceof Uint8Array) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return `,"${DATA_BASE64}":"${bytes.toString('base64')}"`;
    }
    const contentType = attributes.get('datacontenttype');
    if (isJson(contentType)) {
      const bytes = this.#data.toBytes(value, schema);
      return `,"${DATA}":${bytes === null ? 'null' : Buffer.from(bytes).toString('utf8')}`;
    }
    if (typeof value === 'string') return `,"${DATA}":${JSON.stringify(value)}`;
    throw new TypeError(`The data is neither text nor bytes, as the datacontenttype ${contentType} needs`);
  }

  #dataOf(event: Readonly<Record<string, ConnectValue | undefined>>, attributes: Attributes): SchemaAndValue | undefined {
    const { [DATA]: data, [DATA_BASE64]: base64 } = event;
    if (base64 !== undefined && base64 !== null) {
      if (data !== undefined) throw new TypeError(`The event has both ${DATA} and ${DATA_BASE64}`);
      if (typeof base64 === 'string' && BASE64.test(base64)) return { value: Buffer.from(base64, 'base64') };
      throw new TypeError(`${DATA_BASE64} is no text in base64`);
    }
    if (data === undefined) return undefined;
    const hasSchema = this.settings['json.schemas.enable'] && data !== null && isJson(attributes.get('datacontenttype'));
    if (!hasSchema) return { value: data };
    if (isConnectObject(data) && Object.hasOwn(data, 'schema') && Object.hasOwn(data, 'payload'))
      return this.#data.fromBytes(Buffer.from(plainJson(data), 'utf8'));
    throw new TypeError('The data is no object of schema and payload; json.schemas.enable=false reads it');
  }
}

function converting<T>(convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    throw new ConversionError(NAME, (error as Error).message, error);
  }
}
