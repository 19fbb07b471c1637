import { randomUUID } from 'node:crypto';
import {
  type ConnectValue,
  type Converter,
  isConnectObject,
  plainJson,
  type RawConfig,
  requireConfig,
  type Schema,
  type SchemaAndValue,
  SchemaType,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { JsonConverter, jsonConverterSpec } from '../json/json.converter.js';
import { type Attribute, type Attributes, attributesOf, DATA, DATA_BASE64, EventSchemas, isEvent, SPEC_VERSION } from './cloud-event.js';
import type { CloudEventsSettings } from './cloud-events-settings.js';
import { BYTES_TYPE, isJson, JSON_TYPE } from './content-type.js';

export const NAME = 'CloudEventsConverter';
const DEFAULT_TYPE = 'sluice.record';
const MAX_SHAPES = 100;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** An event with its data apart. */
export interface Event {
  readonly attributes: Attributes;
  /** `undefined` where the event has none. */
  readonly data: ConnectValue | undefined;
  readonly schema: Schema | undefined;
}

/**
 * Writes each value as the data of an event in JSON, the structured mode of CloudEvents 1.0. Reads events as their attributes with their
 * data. A value that is an event stays the one that it is. See https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export class CloudEventsConverter implements Converter {
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
    return converting(() => this.#bytesOf(this.eventOf(value, schema, topic)));
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null };
    return converting(() => {
      const { value: event } = this.#event.fromBytes(bytes);
      if (!isConnectObject(event)) throw new TypeError('The bytes are no event: an object of JSON is needed, one for each message');
      const attributes = attributesOf(event);
      const data = this.#dataOf(event, attributes);
      return this.valueOf({ attributes, data: data?.value, schema: data?.schema });
    });
  }

  /** Returns the event that a value is, or one with the value as its data. @throws TypeError */
  eventOf(value: ConnectValue, schema: Schema | undefined, topic: string): Event {
    if (isEvent(value, schema) && isConnectObject(value)) {
      const dataSchema = schema?.fields?.find(({ name }) => name === DATA)?.schema;
      return { attributes: attributesOf(value), data: bytesOfBase64(value) ?? value[DATA], schema: dataSchema };
    }
    const { source, type, datacontenttype, dataschema } = this.settings;
    const attributes = new Map<string, Attribute>([
      ['specversion', SPEC_VERSION],
      ['id', randomUUID()],
      ['source', source ?? `/topics/${encodeURIComponent(topic)}`],
      ['type', type ?? schema?.name ?? DEFAULT_TYPE],
      ['datacontenttype', datacontenttype ?? (bytesIn(value, schema) === undefined ? JSON_TYPE : BYTES_TYPE)],
    ]);
    if (dataschema !== undefined) attributes.set('dataschema', dataschema);
    return { attributes, data: value, schema };
  }

  /** Returns an event as a value. */
  valueOf({ attributes, data, schema }: Event): SchemaAndValue {
    if (data === undefined) return { value: Object.fromEntries(attributes) };
    const value = { ...Object.fromEntries(attributes), [DATA]: data };
    return schema === undefined ? { value } : { value, schema: this.#schemas.of(attributes, schema) };
  }

  /** Returns data that is not null as JSON. */
  jsonOf(data: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    return this.#data.toBytes(data, schema);
  }

  /** Reads data that is JSON. */
  fromJson(bytes: Buffer): SchemaAndValue {
    return this.#data.fromBytes(bytes);
  }

  #bytesOf({ attributes, data, schema }: Event): Buffer {
    const text = JSON.stringify(Object.fromEntries(attributes)).slice(0, -1);
    return Buffer.from(`${text}${this.#dataText(data, schema, attributes)}}`, 'utf8');
  }

  #dataText(value: ConnectValue | undefined, schema: Schema | undefined, attributes: Attributes): string {
    if (value === undefined) return '';
    const bytes = bytesIn(value, schema);
    if (bytes !== undefined) return `,"${DATA_BASE64}":"${bytes.toString('base64')}"`;
    const contentType = attributes.get('datacontenttype');
    if (isJson(contentType)) {
      const json = this.jsonOf(value, schema);
      return `,"${DATA}":${json === null ? 'null' : Buffer.from(json).toString('utf8')}`;
    }
    return `,"${DATA}":${JSON.stringify(requireText(value, contentType))}`;
  }

  #dataOf(event: Readonly<Record<string, ConnectValue | undefined>>, attributes: Attributes): SchemaAndValue | undefined {
    const bytes = bytesOfBase64(event);
    if (bytes !== undefined) return { value: bytes };
    const { [DATA]: data } = event;
    if (data === undefined) return undefined;
    const hasSchema = this.settings['json.schemas.enable'] && data !== null && isJson(attributes.get('datacontenttype'));
    if (!hasSchema) return { value: data };
    if (isConnectObject(data) && Object.hasOwn(data, 'schema') && Object.hasOwn(data, 'payload'))
      return this.#data.fromBytes(Buffer.from(plainJson(data), 'utf8'));
    throw new TypeError('The data is no object of schema and payload; json.schemas.enable=false reads it');
  }
}

/** Returns the data that an event has in base64; `undefined` where it has none. @throws TypeError for other texts, and beside other data */
function bytesOfBase64(event: Readonly<Record<string, ConnectValue | undefined>>): Buffer | undefined {
  const { [DATA]: data, [DATA_BASE64]: base64 } = event;
  if (base64 === undefined || base64 === null) return undefined;
  if (data !== undefined) throw new TypeError(`The event has both ${DATA} and ${DATA_BASE64}`);
  if (typeof base64 === 'string' && BASE64.test(base64)) return Buffer.from(base64, 'base64');
  throw new TypeError(`${DATA_BASE64} is no text in base64`);
}

/** Returns the bytes that data is; those of a text are none. */
export function bytesIn(value: ConnectValue | undefined, schema: Schema | undefined): Buffer | undefined {
  if (!(value instanceof Uint8Array) || schema?.type === SchemaType.string) return undefined;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Returns the text that data is; bytes that are left are its UTF-8. @throws TypeError */
export function requireText(value: ConnectValue, contentType: Attribute | undefined): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  throw new TypeError(`The data is neither text nor bytes, as the datacontenttype ${contentType} needs`);
}

/** Names the converter in the error of a conversion. */
export function converting<T>(convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    throw new ConversionError(NAME, (error as Error).message, error);
  }
}
