import type { ConnectObject, FieldError, RecordHeader, Schema, Transform } from '@sluice/sdk';
import { fieldAt, type FieldPath, fieldPathErrors, parseFieldPath, structValueAt, valueAt } from '../fields/field-path.js';
import { changeMap, type FieldChange, pathTree, planStruct } from '../fields/path-tree.js';
import type { RecordPart } from '../fields/record-part.js';
import { SchemaCache } from '../fields/schema-cache.js';
import { requireFields } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

/** A field, and the header that it becomes. */
interface HeaderField {
  readonly text: string;
  readonly path: FieldPath;
  readonly header: string;
}

const REMOVE: FieldChange<true> = { field: () => undefined, value: (value) => value };
const REMOVE_FROM_MAP = { value: () => undefined, addsMissing: false };

export const headerFromTransforms = partPlugins({
  name: 'HeaderFrom',
  packages: [KAFKA],
  doc: 'Moves or copies fields into headers.',
  spec: {
    fields: {
      type: 'list',
      importance: 'high',
      nonEmpty: true,
      doc: 'The names of the fields, or the paths to them.',
      example: 'id,tenant',
    },
    headers: {
      type: 'list',
      importance: 'high',
      nonEmpty: true,
      doc: 'The keys of the headers, in the order of the fields.',
      example: 'order-id,tenant',
    },
    operation: {
      type: 'string',
      importance: 'high',
      oneOf: ['move', 'copy'],
      doc: '`move` removes the fields from the part of the record, `copy` leaves them there.',
      example: 'move',
    },
    'replace.null.with.default': REPLACE_NULL_FIELD,
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ fields, headers, 'field.syntax.version': syntax }) => [
    ...countErrors(fields, headers),
    ...fieldPathErrors('fields', fields, syntaxOf(syntax)),
  ],
  create: (part, settings) => {
    const syntax = syntaxOf(settings['field.syntax.version']);
    const fields = settings.fields.map((text, n) => ({ text, path: parseFieldPath(text, syntax), header: settings.headers[n] ?? '' }));
    return headerFrom(part, fields, settings.operation === 'move', settings['replace.null.with.default']);
  },
});

function headerFrom(part: RecordPart, fields: readonly HeaderField[], moves: boolean, replacesNull: boolean): Transform {
  const purpose = `header ${moves ? 'move' : 'copy'}`;
  const tree = pathTree(fields.map(({ path }) => [path, true] as const));
  const plans = new SchemaCache((schema) => {
    const schemas = fields.map(({ text, path }) => {
      const found = fieldAt(schema, path);
      if (found === undefined) throw unfit(`Unknown field: ${text}; the schema has ${schema.fields?.map(({ name }) => name).join(', ')}`);
      return found.schema;
    });
    return { schemas, ...planStruct(schema, tree, REMOVE, { replacesNull, keepsOptional: false }) };
  });
  return {
    apply: (record) => {
      const schema = part.schemaOf(record);
      const value = requireFields(part.valueOf(record), schema, purpose);
      if (schema === undefined) {
        const headers = [...(record.headers ?? []), ...fields.map(({ path, header }) => ({ key: header, value: valueAt(value, path) }))];
        return part.replaced({ ...record, headers }, moves ? changeMap(value, tree, REMOVE_FROM_MAP) : value, undefined);
      }
      const plan = plans.of(schema);
      const headers = [...(record.headers ?? []), ...headersOf(value, schema, fields, plan.schemas, replacesNull)];
      return moves ? part.replaced({ ...record, headers }, plan.copy(value), plan.schema) : { ...record, headers };
    },
  };
}

function headersOf(
  value: ConnectObject,
  schema: Schema,
  fields: readonly HeaderField[],
  schemas: readonly Schema[],
  replacesNull: boolean,
): readonly RecordHeader[] {
  return fields.map(({ path, header }, n) => {
    const own = schemas[n];
    return { key: header, value: structValueAt(value, schema, path, replacesNull), ...(own === undefined ? undefined : { schema: own }) };
  });
}

function countErrors(fields: readonly string[], headers: readonly string[]): readonly FieldError[] {
  if (fields.length === headers.length) return [];
  const given = `${fields.length} and ${headers.length} given`;
  return [{ field: 'headers', message: `'fields' config must have the same number of elements as 'headers' config; ${given}.` }];
}
