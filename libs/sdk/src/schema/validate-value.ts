import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import type { ConnectValue } from './connect-value.js';
import { BASE_TYPES, LogicalType, logicalTypeOf, SCALE_PARAMETER, scaleOf } from './logical-type.js';
import { refusal, scalarOf } from './scalar-value.js';
import { type Schema, type SchemaField, SchemaType } from './schema.js';
import { arrayItems, isObjectMap, mapOf, objectMapOf, structOf } from './value-parts.js';

const MAX_LEVELS = 200;
const MAX_VERSION = 2 ** 31 - 1;

/** Schemas never change, so one check is enough for all records that share one. */
const VALID = new WeakSet<Schema>();

/**
 * Checks that a converter can write the value by the schema. A field that a struct leaves out has the default, or is null.
 *
 * @param path what the value is called in errors
 * @throws ConnectError naming the path, what was given and what is allowed; also when the schema is invalid
 */
export function validateValue(schema: Schema, value: ConnectValue | undefined, path = 'value'): void {
  requireSchema(schema);
  checkValue(schema, value, path);
}

/**
 * Checks a schema: its parts fit its type, no field is there twice, a logical type has the type that holds it, each default fits. Costs
 * nothing for a schema that it knows.
 *
 * @throws ConnectError with code `CONNECT_SCHEMA_INVALID`, naming the part, what was given and what is allowed
 */
export function requireSchema(schema: Schema): void {
  if (!VALID.has(schema)) checkSchema(schema, schema.name ?? schema.type, 1);
}

function checkSchema(schema: Schema, path: string, level: number): void {
  if (VALID.has(schema)) return;
  if (level > MAX_LEVELS) throw invalid(path, `a schema in more than ${MAX_LEVELS} levels given; at most ${MAX_LEVELS} are allowed`);
  const { type, name, version } = schema;
  if (!Object.hasOwn(SchemaType, type)) {
    throw invalid(path, `the type ${JSON.stringify(type)} given; allowed are ${Object.keys(SchemaType).join(', ')}`);
  }
  if (name === '') throw invalid(path, 'an empty name given; a schema has a name with characters, or none');
  if (version !== undefined && !(Number.isInteger(version) && version >= 0 && version <= MAX_VERSION)) {
    throw invalid(path, `the version ${version} given; allowed are whole numbers from 0 to ${MAX_VERSION}`);
  }
  checkParts(schema, path, level);
  checkLogicalType(schema, path);
  if (schema.default === null) throw invalid(path, 'null given as the default; leave it out');
  if (schema.default !== undefined) checkDefault(schema, schema.default, path);
  VALID.add(schema);
}

function checkParts({ type, fields, keySchema, valueSchema }: Schema, path: string, level: number): void {
  const parts = [
    { part: 'fields', given: fields, isNeeded: type === SchemaType.struct },
    { part: 'keySchema', given: keySchema, isNeeded: type === SchemaType.map },
    { part: 'valueSchema', given: valueSchema, isNeeded: type === SchemaType.map || type === SchemaType.array },
  ];
  for (const { part, given, isNeeded } of parts) {
    if ((given !== undefined) === isNeeded) continue;
    throw invalid(path, isNeeded ? `no ${part} given; a schema of type ${type} needs one` : `${part} given; the type ${type} has none`);
  }
  if (keySchema !== undefined) checkSchema(keySchema, `${path}{key}`, level + 1);
  if (valueSchema !== undefined) checkSchema(valueSchema, type === SchemaType.array ? `${path}[]` : `${path}{}`, level + 1);
  if (fields !== undefined) checkFields(fields, path, level);
}

function checkFields(fields: readonly SchemaField[], path: string, level: number): void {
  const names = new Set<string>();
  for (const { name, schema } of fields) {
    if (name === '') throw invalid(path, 'a field without a name given; each field has one');
    if (names.has(name)) throw invalid(path, `the field ${name} given twice; each name is allowed once`);
    names.add(name);
    checkSchema(schema, `${path}.${name}`, level + 1);
  }
}

function checkLogicalType(schema: Schema, path: string): void {
  const logical = logicalTypeOf(schema.name);
  if (logical === undefined) return;
  if (schema.type !== BASE_TYPES[logical])
    throw invalid(path, `the type ${schema.type} given; ${schema.name} is kept in ${BASE_TYPES[logical]}`);
  if (logical !== LogicalType.decimal || scaleOf(schema) !== undefined) return;
  const given = schema.parameters?.[SCALE_PARAMETER];
  throw invalid(path, `${given === undefined ? 'no scale' : `the scale ${JSON.stringify(given)}`} given; a Decimal needs a whole number`);
}

function checkDefault(schema: Schema, value: ConnectValue, path: string): void {
  try {
    checkValue(schema, value, `${path}, default`);
  } catch (error) {
    throw new ConnectError(ConnectErrorCode.schemaInvalid, `The schema is invalid: ${(error as Error).message}`, { cause: error });
  }
}

function checkValue(schema: Schema, value: ConnectValue | undefined, path: string): void {
  if (value === null || value === undefined) {
    if (schema.optional === true || (value === undefined && schema.default !== undefined)) return;
    throw refusal(path, null, `${schema.type} is required${schema.default === undefined ? ' and has no default' : ''}`);
  }
  if (schema.type === SchemaType.struct) checkStruct(schema, value, path);
  else if (schema.type === SchemaType.map) checkMap(schema, value, path);
  else if (schema.type !== SchemaType.array) scalarOf(schema, value, path);
  else for (const [n, item] of arrayItems(value, path).entries()) checkPart(schema.valueSchema, item, `${path}[${n}]`);
}

function checkStruct(schema: Schema, value: ConnectValue, path: string): void {
  const struct = structOf(schema, value, path);
  for (const { name, schema: fieldSchema } of schema.fields ?? []) {
    checkValue(fieldSchema, Object.hasOwn(struct, name) ? struct[name] : undefined, `${path}.${name}`);
  }
}

function checkMap(schema: Schema, value: ConnectValue, path: string): void {
  const { keySchema, valueSchema } = schema;
  if (isObjectMap(schema)) {
    for (const [key, item] of Object.entries(objectMapOf(value, path))) checkPart(valueSchema, item, `${path}.${key}`);
    return;
  }
  for (const [key, item] of mapOf(schema, value, path)) {
    checkPart(keySchema, key, `${path}{key}`);
    checkPart(valueSchema, item, `${path}{}`);
  }
}

function checkPart(schema: Schema | undefined, value: ConnectValue | undefined, path: string): void {
  if (schema !== undefined) checkValue(schema, value, path);
}

function invalid(path: string, reason: string): ConnectError {
  return new ConnectError(ConnectErrorCode.schemaInvalid, `The schema is invalid: ${path}: ${reason}`);
}
