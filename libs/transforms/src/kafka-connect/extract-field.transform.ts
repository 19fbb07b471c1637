import { type Schema, SchemaType } from '@sluice/sdk';
import { fieldAt, fieldPathErrors, parseFieldPath, structValueAt, valueAt } from '../fields/field-path.js';
import { SchemaCache } from '../fields/schema-cache.js';
import { requireFields } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

const PURPOSE = 'field extraction';

export const extractFieldTransforms = partPlugins({
  name: 'ExtractField',
  packages: [KAFKA],
  doc: 'Replaces the part of the record by one of its fields; null stays null.',
  spec: {
    field: { type: 'string', importance: 'medium', doc: 'The name of the field, or the path to it.', example: 'after' },
    'field.syntax.version': FIELD_SYNTAX_FIELD,
    'replace.null.with.default': REPLACE_NULL_FIELD,
  },
  problems: ({ field, 'field.syntax.version': syntax }) => fieldPathErrors('field', [field], syntaxOf(syntax)),
  create: (part, settings) => {
    const { field, 'replace.null.with.default': replacesNull } = settings;
    const path = parseFieldPath(field, syntaxOf(settings['field.syntax.version']));
    const schemas = new SchemaCache((schema) => schemaAt(schema, field, path));
    return {
      apply: (record) => {
        const value = part.valueOf(record);
        const schema = part.schemaOf(record);
        if (schema === undefined) {
          return part.replaced(record, value === null ? null : valueAt(requireFields(value, undefined, PURPOSE), path), undefined);
        }
        const fields = value === null ? null : requireFields(value, schema, PURPOSE);
        const extracted = fields === null ? null : structValueAt(fields, schema, path, replacesNull);
        return part.replaced(record, extracted, schemas.of(schema));
      },
    };
  },
});

function schemaAt(schema: Schema, text: string, path: readonly string[]): Schema {
  const found = fieldAt(schema, path);
  if (found !== undefined) return found.schema;
  const names = schema.type === SchemaType.struct ? (schema.fields ?? []).map(({ name }) => name).join(', ') : '';
  throw unfit(`Unknown field: ${text}; the schema has ${names === '' ? 'none' : names}`);
}
