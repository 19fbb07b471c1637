import { type ConnectObject, type ConnectValue, type Schema, SchemaType } from '@sluice/sdk';
import { changeFields } from '../fields/change-fields.js';
import { fieldAt, fieldPathErrors, parseFieldPath, structValueAt, valueAt } from '../fields/field-path.js';
import { requireUniqueNames, schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, setField } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { FIELD_SYNTAX_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';

const PURPOSE = 'nested field extraction';

export const extractNestedFieldTransforms = partPlugins({
  name: 'ExtractNestedField',
  packages: [ROCKETMQ],
  doc: 'Copies a field of a nested struct or map to the top, beside the fields that are there; null stays null.',
  spec: {
    'input.outer.field.name': {
      type: 'string',
      importance: 'high',
      doc: 'The field that holds the struct or map, or the path to it.',
      example: 'address',
    },
    'input.inner.field.name': { type: 'string', importance: 'high', doc: 'The name of the field in it.', example: 'state' },
    'output.field.name': {
      type: 'string',
      importance: 'high',
      optional: true,
      nonEmpty: true,
      doc: 'The name of the field at the top; by default that of the inner field. Apache RocketMQ Connect ignores this setting.',
      example: 'state',
    },
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ 'input.outer.field.name': outer, 'field.syntax.version': syntax }) =>
    fieldPathErrors('input.outer.field.name', [outer], syntaxOf(syntax)),
  create: (part, settings) => {
    const { 'input.outer.field.name': outer, 'input.inner.field.name': inner, 'output.field.name': output = inner } = settings;
    const path = [...parseFieldPath(outer, syntaxOf(settings['field.syntax.version'])), inner];
    return changeFields(part, {
      purpose: PURPOSE,
      planOf: (schema) => {
        const found = fieldAt(schema, path);
        if (found === undefined) throw unfit(`Unknown field: ${inner} in ${outer}`);
        requireUniqueNames([...(schema.fields ?? []).map(({ name }) => name), output]);
        // The field is missing where a struct on the way is null.
        const isOptional = found.schema.optional === true || pathIsOptional(schema, path);
        return {
          schema: {
            type: SchemaType.struct,
            ...schemaBasics(schema),
            ...(schema.optional === true ? { optional: true } : undefined),
            fields: [...(schema.fields ?? []), { name: output, schema: isOptional ? { ...found.schema, optional: true } : found.schema }],
          },
          copy: (fields) => withField(fields, output, structValueAt(fields, schema, path, false)),
        };
      },
      ofMap: (fields) => withField(fields, output, valueAt(fields, path)),
    });
  },
});

function withField(value: ConnectObject, name: string, field: ConnectValue): ConnectObject {
  const copy: FieldsInMaking = { ...value };
  setField(copy, name, field);
  return copy;
}

function pathIsOptional(schema: Schema, path: readonly string[]): boolean {
  return path.some((_, n) => n > 0 && fieldAt(schema, path.slice(0, n))?.schema.optional === true);
}
