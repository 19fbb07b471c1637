import type { ConfigOf, ConfigSpec } from '@sluice/sdk';
import { DECIMAL_FORMAT_FIELD } from '../json/json-writer.js';
import { registrySpec } from '../registry/registry-settings.js';

/** The names that Confluent's JsonSchemaConverter gives to what JSON Schema has no place for. */
const NAMESPACE = 'io.confluent.connect.json';
export const ONE_OF_NAME = `${NAMESPACE}.OneOf`;
export const ENUM_PARAMETER = `${NAMESPACE}.Enum`;
export const CONNECT_TYPE = 'connect.type';
export const CONNECT_INDEX = 'connect.index';
export const CONNECT_VERSION = 'connect.version';
export const CONNECT_PARAMETERS = 'connect.parameters';

export const jsonSchemaConverterSpec = {
  ...registrySpec,
  'decimal.format': DECIMAL_FORMAT_FIELD,
  'json.fail.invalid.schema': {
    type: 'boolean',
    importance: 'low',
    default: false,
    doc: 'Whether each value is checked by its JSON Schema, where it is written and where it is read. Formats of strings are not checked.',
  },
  'object.additional.properties': {
    type: 'boolean',
    importance: 'medium',
    default: true,
    doc: 'Whether schemas of structs allow properties that they do not name.',
  },
  'use.optional.for.nonrequired': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether properties that a schema does not require are optional fields, and fields that are not optional are required.',
  },
} as const satisfies ConfigSpec;

export type JsonSchemaSettings = ConfigOf<typeof jsonSchemaConverterSpec>;

/** A JSON Schema in its JSON. */
export interface JsonSchemaObject {
  readonly [keyword: string]: unknown;
}
