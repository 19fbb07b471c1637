import type { ConfigOf, ConfigSpec, FieldError, RawConfig, RecordPart } from '@sluice/sdk';
import { DECIMAL_FORMAT_FIELD } from '../json/json-writer.js';

export const cloudEventsConverterSpec = {
  'serializer.type': {
    type: 'string',
    importance: 'high',
    default: 'json',
    oneOf: ['json'],
    doc: 'How events are written: as JSON, the content type `application/cloudevents+json`.',
  },
  'data.serializer.type': {
    type: 'string',
    importance: 'high',
    default: 'json',
    oneOf: ['json'],
    doc: 'How the data of events is written: as JSON. Bytes, and texts of another content type, stay what they are.',
  },
  'content.mode': {
    type: 'string',
    importance: 'medium',
    default: 'structured',
    oneOf: ['structured', 'binary'],
    doc: 'Where attributes are written: in the value, beside the data, or in headers, with `binary`. Both are read.',
  },
  binding: {
    type: 'string',
    importance: 'medium',
    default: 'rocketmq',
    oneOf: ['rocketmq', 'kafka'],
    doc: 'How headers are named: `CE_id` and `CE_contenttype`, as RocketMQ users have them, or `ce_id` and `content-type`. Both are read.',
  },
  source: {
    type: 'string',
    importance: 'high',
    optional: true,
    pattern: '\\S+',
    doc: 'The attribute `source`, a reference to a URI. Without it the source is `/topics/` with the name of the topic.',
    example: '/shops/berlin',
  },
  type: {
    type: 'string',
    importance: 'high',
    optional: true,
    nonEmpty: true,
    doc: "The attribute `type`. Without it the type is the name of the value's schema, or `sluice.record`.",
    example: 'com.example.order.created',
  },
  datacontenttype: {
    type: 'string',
    importance: 'medium',
    optional: true,
    pattern: '[^\\s/]+/[^\\s/].*',
    doc: 'The attribute `datacontenttype`. Without it the type is `application/json`, or `application/octet-stream` for bytes.',
    example: 'text/plain',
  },
  dataschema: {
    type: 'string',
    importance: 'low',
    optional: true,
    pattern: '[A-Za-z][A-Za-z0-9+.-]*:\\S+',
    doc: 'The attribute `dataschema`, a URI. Without it events have none.',
    example: 'https://example.com/schemas/order.json',
  },
  'json.schemas.enable': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether the data of events travels with its schema, as an object of schema and payload.',
  },
  'json.decimal.format': DECIMAL_FORMAT_FIELD,
  'json.replace.null.with.default': {
    type: 'boolean',
    importance: 'low',
    default: true,
    doc: "Whether a null becomes the default of the field's schema, where it has one. A field that is left out always does.",
  },
} as const satisfies ConfigSpec;

export type CloudEventsSettings = ConfigOf<typeof cloudEventsConverterSpec>;

/** Refuses the binary mode for keys. */
export function cloudEventsProblems(settings: RawConfig, part?: RecordPart): readonly FieldError[] {
  if (part !== 'key' || settings['content.mode']?.trim() !== 'binary') return [];
  const message = 'content.mode=binary has the attributes in headers, which are those of the value; content.mode=structured is for keys.';
  return [{ field: 'content.mode', message }];
}
