import { type ConnectRecord, type Schema, SchemaType, type Transform } from '@sluice/sdk';
import {
  fieldAt,
  type FieldPath,
  fieldPathErrors,
  type FieldSyntax,
  parseFieldPath,
  structValueAt,
  valueAt,
} from '../fields/field-path.js';
import { KEY } from '../fields/record-part.js';
import { SchemaCache } from '../fields/schema-cache.js';
import { type FieldsInMaking, requireFields, setField } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { transformPlugin } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

const PURPOSE = 'copying fields from value to key';

export const valueToKeyTransform = transformPlugin({
  name: 'ValueToKey',
  packages: [KAFKA],
  doc: 'Makes the key of some fields of the value.',
  spec: {
    fields: {
      type: 'list',
      importance: 'high',
      nonEmpty: true,
      doc: 'The names of the fields, or the paths to them; the key has the last name of a path.',
      example: 'id,tenant',
    },
    'replace.null.with.default': REPLACE_NULL_FIELD,
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ fields, 'field.syntax.version': given }) => {
    const syntax = syntaxOf(given);
    const wrong = fieldPathErrors('fields', fields, syntax);
    if (wrong.length > 0) return wrong;
    const names = keyFields(fields, syntax).map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice === undefined) return [];
    return [{ field: 'fields', message: `Invalid value ${fields.join(',')} for configuration fields: two paths end with ${twice}` }];
  },
  create: (settings) => {
    const fields = keyFields(settings.fields, syntaxOf(settings['field.syntax.version']));
    return valueToKey(fields, settings['replace.null.with.default']);
  },
});

interface KeyField {
  readonly name: string;
  readonly path: FieldPath;
}

function valueToKey(fields: readonly KeyField[], replacesNull: boolean): Transform {
  const schemas = new SchemaCache((schema): Schema => ({
    type: SchemaType.struct,
    fields: fields.map(({ name, path }) => {
      const found = fieldAt(schema, path);
      if (found === undefined)
        throw unfit(`Field does not exist: ${path.join('.')}; the schema has ${schema.fields?.map((each) => each.name).join(', ')}`);
      return { name, schema: found.schema };
    }),
  }));
  return {
    apply: (record: ConnectRecord) => {
      const { schema } = record;
      const value = requireFields(record.value, schema, PURPOSE);
      const key: FieldsInMaking = {};
      const keySchema = schema && schemas.of(schema);
      for (const { name, path } of fields) {
        setField(key, name, schema === undefined ? valueAt(value, path) : structValueAt(value, schema, path, replacesNull));
      }
      return KEY.replaced(record, key, keySchema);
    },
  };
}

/** A field that is listed twice is in the key once. */
function keyFields(fields: readonly string[], syntax: FieldSyntax): readonly KeyField[] {
  return [...new Set(fields)].map((field) => {
    const path = parseFieldPath(field, syntax);
    return { name: path.at(-1) ?? field, path };
  });
}
