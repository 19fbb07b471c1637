import {
  type ConnectObject,
  type ConnectValue,
  type FieldError,
  isConnectObject,
  type Schema,
  type SchemaField,
  SchemaType,
} from '@sluice/sdk';
import { ownField, requireFields, structField } from './structured-value.js';

/** How names of fields are read: as they are, or as paths with dots and backticks (KIP-821). */
export type FieldSyntax = 'V1' | 'V2';

/** The names that lead to a field, the outermost first; at least one. */
export type FieldPath = readonly string[];

const BACKTICK = '`';
const PURPOSE = 'nested field access';

/**
 * Reads the path to a field. With V1 the whole text is one name. With V2 dots separate names, and backticks around a name hold dots together.
 * A backslash before a backtick that a dot follows keeps the backtick in the name.
 *
 * @throws SyntaxError for a backtick that is not closed
 */
export function parseFieldPath(text: string, syntax: FieldSyntax): FieldPath {
  if (syntax === 'V1') return [text];
  const names: string[] = [];
  let at = 0;
  do {
    const { name, end } = text.charAt(at) === BACKTICK ? quotedName(text, at) : plainName(text, at);
    names.push(name);
    at = end + 1;
  } while (at <= text.length);
  return names;
}

/** Explains which of some paths cannot be read. */
export function fieldPathErrors(field: string, paths: readonly string[], syntax: FieldSyntax): readonly FieldError[] {
  return paths.flatMap((path) => {
    try {
      parseFieldPath(path, syntax);
      return [];
    } catch (error) {
      return [{ field, message: `Invalid value ${path} for configuration ${field}: ${(error as Error).message}` }];
    }
  });
}

/** Returns the field that a path leads to through structs; `undefined` where there is none. */
export function fieldAt(schema: Schema, path: FieldPath): SchemaField | undefined {
  let fields = schema.fields;
  let found: SchemaField | undefined;
  for (const name of path) {
    found = fields?.find((field) => field.name === name);
    if (found === undefined) return undefined;
    fields = found.schema.type === SchemaType.struct ? found.schema.fields : undefined;
  }
  return found;
}

/**
 * Returns the value that a path leads to in maps without a schema; null where it ends early.
 *
 * @throws ConnectError for a part of the path that is no map
 */
export function valueAt(value: ConnectObject, path: FieldPath): ConnectValue {
  let current: ConnectObject = value;
  const last = path.length - 1;
  for (let step = 0; step < last; step += 1) {
    const next = ownField(current, path[step] ?? '') ?? null;
    if (next === null) return null;
    current = isConnectObject(next) ? next : requireFields(next, undefined, PURPOSE);
  }
  return ownField(current, path[last] ?? '') ?? null;
}

/**
 * Returns the value that a path leads to in structs; null where it ends early.
 *
 * @param replacesNull whether a default takes the place of null
 * @throws ConnectError for a part of the path that is no struct
 */
export function structValueAt(value: ConnectObject, schema: Schema, path: FieldPath, replacesNull: boolean): ConnectValue {
  let current: ConnectValue = value;
  let currentSchema = schema;
  for (const name of path) {
    if (current === null) return null;
    const fields: ConnectObject = requireFields(current, currentSchema, PURPOSE);
    const field = currentSchema.fields?.find((each) => each.name === name);
    if (field === undefined) return null;
    current = structField(fields, name, field.schema, replacesNull);
    currentSchema = field.schema;
  }
  return current;
}

function plainName(text: string, start: number): { readonly name: string; readonly end: number } {
  const dot = text.indexOf('.', start);
  const end = dot < 0 ? text.length : dot;
  return { name: text.slice(start, end), end };
}

/** A backtick ends the name only at the end of the path, or before a dot. */
function quotedName(text: string, start: number): { readonly name: string; readonly end: number } {
  let name = '';
  let from = start + 1;
  for (let at = text.indexOf(BACKTICK, from); at >= 0; at = text.indexOf(BACKTICK, at + 1)) {
    const isEscaped = text.charAt(at - 1) === '\\';
    const isLast = at === text.length - 1;
    if (!isLast && text.charAt(at + 1) !== '.') continue;
    if (!isEscaped) return { name: name + text.slice(from, at), end: at + 1 };
    name += text.slice(from, at - 1) + BACKTICK;
    from = at + 1;
  }
  throw new SyntaxError(
    `Incomplete backtick pair in path: [${text}], consider adding a backslash before backtick at position ${start} to escape it`,
  );
}
