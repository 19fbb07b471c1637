import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ConfigError, type ConfigOf, type FieldError, type TaskConfig } from '@sluice/sdk';
import { QUICKSTARTS } from '../schema/quickstarts.js';
import { readSchema, type StructMaker } from '../schema/read-schema.js';
import { SchemaProblem } from '../schema/schema-problem.js';
import type { datagenSourceSpec } from './settings.js';

type Config = ConfigOf<typeof datagenSourceSpec>;

const SOURCES = ['quickstart', 'schema.string', 'schema.filename'] as const;
type SchemaSetting = (typeof SOURCES)[number];
const OF_SCHEMAS = ['schema.keyfield', 'verification.header'] as const;
const OF_NUMBERED_RECORDS = ['keys', 'keys.skew', 'record.size', 'large.record.size', 'large.record.share', 'payload.kind'] as const;
const MAX_FILE_BYTES = 1024 * 1024;

/** A schema and the field of it that is the key. */
export interface ChosenSchema {
  readonly struct: StructMaker;
  readonly keyField: string | undefined;
}

/** Returns which setting names a schema; `undefined` where values are numbered records. */
export function schemaSetting(config: Config): SchemaSetting | undefined {
  return SOURCES.find((name) => config[name] !== undefined);
}

/** Checks the settings of schemas against each other, and a schema that stands in the settings. @param given as the user wrote them */
export function schemaErrors(given: TaskConfig, config: Config): readonly FieldError[] {
  const isGiven = (name: string): boolean => Object.hasOwn(given, name);
  const chosen = SOURCES.filter(isGiven);
  const [source, second] = chosen;
  if (source === undefined) {
    return OF_SCHEMAS.filter(isGiven).map((name) => withoutEffect(given, name, `there is no schema: set one of ${SOURCES.join(', ')}`));
  }
  if (second !== undefined) {
    return [refusal(second, given[second], `Value must be absent beside ${source}: there is one schema`)];
  }
  const errors: FieldError[] = OF_NUMBERED_RECORDS.filter(isGiven).map((name) =>
    withoutEffect(given, name, `values follow from the schema that ${source} names`),
  );
  const converter = given['value.converter'];
  if (converter === undefined || converter.trim().endsWith('ByteArrayConverter')) {
    const message = 'Value must be a converter that writes structs, such as JsonConverter or StringConverter';
    errors.push(refusal('value.converter', converter, message));
  }
  return [...errors, ...contentErrors(config, source)];
}

/** What stands in a file is found when a task starts. */
function contentErrors(config: Config, source: SchemaSetting): readonly FieldError[] {
  if (source === 'schema.filename') return [];
  try {
    chosenSchema(config, source, config['schema.string'] ?? '');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.errors;
    throw error;
  }
}

/**
 * Reads the schema that the settings name, from its file if need be.
 * @returns `undefined` where values are numbered records
 * @throws {ConfigError} naming the setting and what is wrong with the schema
 */
export async function readChosenSchema(config: Config): Promise<ChosenSchema | undefined> {
  const source = schemaSetting(config);
  if (source === undefined) return undefined;
  const path = config['schema.filename'];
  const text = source === 'schema.filename' && path !== undefined ? await textOf(path) : config['schema.string'];
  return chosenSchema(config, source, text ?? '');
}

function chosenSchema(config: Config, source: SchemaSetting, text: string): ChosenSchema {
  const quickstart = config.quickstart === undefined ? undefined : QUICKSTARTS[config.quickstart];
  const struct = readOrRefuse(source, quickstart === undefined ? text : JSON.stringify(quickstart.schema));
  const keyField = config['schema.keyfield'] ?? quickstart?.key;
  if (keyField === undefined) return { struct, keyField };
  const field = struct.fields.get(keyField);
  const names = [...struct.fields].filter(([, { schema }]) => schema.optional !== true).map(([name]) => name);
  if (field !== undefined && names.includes(keyField)) return { struct, keyField };
  const reason = `Value must be a field of the schema that is not optional: ${names.join(', ') || 'it has none'}`;
  throw new ConfigError('The schema of the generator', [refusal('schema.keyfield', keyField, reason)]);
}

function readOrRefuse(source: SchemaSetting, text: string): StructMaker {
  try {
    return readSchema(text);
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    throw new ConfigError('The schema of the generator', [
      { field: source, message: `Invalid value for configuration ${source}: ${error.message}` },
    ]);
  }
}

async function textOf(path: string): Promise<string> {
  try {
    // A pipe without a writer would block the thread.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, at most ${MAX_FILE_BYTES} are allowed`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = `Value must be a file that can be read: ${(error as Error).message}`;
    throw new ConfigError('The schema of the generator', [refusal('schema.filename', path, reason)]);
  }
}

function withoutEffect(given: TaskConfig, name: string, why: string): FieldError {
  return refusal(name, given[name], `Value must be absent, because ${why}`);
}

function refusal(field: string, value: string | undefined, reason: string): FieldError {
  return { field, message: `Invalid value ${value ?? 'null'} for configuration ${field}: ${reason}` };
}
