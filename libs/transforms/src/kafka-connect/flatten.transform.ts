import {
  type ConnectObject,
  type ConnectValue,
  isConnectObject,
  type Schema,
  type SchemaField,
  SchemaType,
  type Transform,
} from '@sluice/sdk';
import { changeFields } from '../fields/change-fields.js';
import type { RecordPart } from '../fields/record-part.js';
import { requireUniqueNames, schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, kindOf, requireFields, setField, structField } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { REPLACE_NULL_FIELD } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

const PURPOSE = 'flattening';
/** Records come from outside: one nested without end must not end the process. */
const MAX_LEVELS = 500;

export const flattenTransforms = partPlugins({
  name: 'Flatten',
  packages: [KAFKA],
  doc: 'Moves the fields of nested structs and maps to the top, with the names on the way as part of theirs. Arrays stay as they are.',
  spec: {
    delimiter: {
      type: 'string',
      importance: 'medium',
      default: '.',
      doc: 'What stands between the names in the new name of a field.',
      example: '_',
    },
    'replace.null.with.default': REPLACE_NULL_FIELD,
  },
  create: (part, { delimiter, 'replace.null.with.default': replacesNull }) => flatten(part, delimiter, replacesNull),
});

/** A field of the flat struct, with the names that lead to it and the schemas of the structs on the way. */
interface FlatField {
  readonly field: SchemaField;
  readonly path: readonly SchemaField[];
}

function flatten(part: RecordPart, delimiter: string, replacesNull: boolean): Transform {
  return changeFields(part, {
    purpose: PURPOSE,
    planOf: (schema) => {
      const flat = [
        ...flatFields(schema, { prefix: '', path: [], isOptional: schema.optional === true, defaults: schema.default }, delimiter),
      ];
      requireUniqueNames(flat.map(({ field }) => field.name));
      return {
        schema: { type: SchemaType.struct, ...schemaBasics(schema), fields: flat.map(({ field }) => field) },
        copy: (fields) => {
          const copy: FieldsInMaking = {};
          for (const { field, path } of flat) setField(copy, field.name, valueOf(fields, path, replacesNull));
          return copy;
        },
      };
    },
    ofMap: (fields) => {
      const copy: FieldsInMaking = {};
      addFlat(copy, fields, '', delimiter, 1);
      return copy;
    },
  });
}

function addFlat(target: FieldsInMaking, given: ConnectObject, prefix: string, delimiter: string, level: number): void {
  if (level > MAX_LEVELS) throw unfit(`a value in more than ${MAX_LEVELS} levels given; at most ${MAX_LEVELS} are allowed`);
  for (const [name, value] of Object.entries(given)) {
    const fullName = prefix === '' ? name : prefix + delimiter + name;
    if (isConnectObject(value)) addFlat(target, value, fullName, delimiter, level + 1);
    else if (value instanceof Map) {
      throw unfit(`Flatten transformation does not support ${kindOf(value)} for record without schemas (for field ${fullName}).`);
    } else setField(target, fullName, value);
  }
}

/** What the structs on the way mean for the fields in them. */
interface Surroundings {
  readonly prefix: string;
  readonly path: readonly SchemaField[];
  readonly isOptional: boolean;
  readonly defaults: ConnectValue | undefined;
}

function* flatFields(schema: Schema, around: Surroundings, delimiter: string): Generator<FlatField> {
  for (const inner of schema.fields ?? []) {
    const { name, schema: own } = inner;
    const fullName = around.prefix === '' ? name : around.prefix + delimiter + name;
    const inherited = isConnectObject(around.defaults) ? structField(around.defaults, name, own, true) : null;
    const fallback = own.default ?? inherited ?? undefined;
    const isOptional = around.isOptional || own.optional === true;
    const path = [...around.path, inner];
    if (own.type === SchemaType.struct) {
      yield* flatFields(own, { prefix: fullName, path, isOptional, defaults: fallback }, delimiter);
      continue;
    }
    if (own.type === SchemaType.map) {
      throw unfit(`Flatten transformation does not support ${own.type} for record with schemas (for field ${fullName}).`);
    }
    const flat: Schema = {
      ...own,
      ...(isOptional ? { optional: true } : undefined),
      ...(fallback === undefined ? undefined : { default: fallback }),
    };
    yield { field: { name: fullName, schema: flat }, path };
  }
}

function valueOf(given: ConnectObject, path: readonly SchemaField[], replacesNull: boolean): ConnectValue {
  let current: ConnectValue = given;
  let holder: Schema | undefined;
  for (const { name, schema } of path) {
    if (current === null) return null;
    const fields: ConnectObject = holder === undefined ? given : requireFields(current, holder, PURPOSE);
    current = structField(fields, name, schema, replacesNull);
    holder = schema;
  }
  return current;
}
