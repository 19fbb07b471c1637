import type { ConnectValue, Schema, Transform } from '@sluice/sdk';
import { fieldPathErrors, parseFieldPath } from '../fields/field-path.js';
import { changeMap, type FieldChange, pathTree, planStruct } from '../fields/path-tree.js';
import type { RecordPart } from '../fields/record-part.js';
import { SchemaCache } from '../fields/schema-cache.js';
import { requireFields } from '../fields/structured-value.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';
import { Mask } from './mask.js';

const PURPOSE = 'mask fields';

export const maskFieldTransforms = partPlugins({
  name: 'MaskField',
  packages: [KAFKA],
  doc: 'Puts a zero, an empty text and the like in the place of what fields hold, or one replacement.',
  spec: {
    fields: {
      type: 'list',
      importance: 'high',
      nonEmpty: true,
      doc: 'The names of the fields, or the paths to them.',
      example: 'card,phone',
    },
    replacement: {
      type: 'string',
      importance: 'low',
      optional: true,
      nonEmpty: true,
      doc: 'What takes the place of texts and numbers; the fields must hold nothing else.',
      example: '****',
    },
    'replace.null.with.default': REPLACE_NULL_FIELD,
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ fields, 'field.syntax.version': syntax }) => fieldPathErrors('fields', fields, syntaxOf(syntax)),
  create: (part, settings) => {
    const { fields, replacement, 'replace.null.with.default': replacesNull } = settings;
    const syntax = syntaxOf(settings['field.syntax.version']);
    const tree = pathTree(fields.map((field) => [parseFieldPath(field, syntax), true] as const));
    return maskFields(part, tree, new Mask(replacement), replacesNull);
  },
});

function maskFields(part: RecordPart, tree: ReturnType<typeof pathTree<true>>, mask: Mask, replacesNull: boolean): Transform {
  const change: FieldChange<true> = {
    field: (field) => field,
    value: (value, _, schema: Schema) => mask.masked(value, schema),
  };
  const plans = new SchemaCache((schema) => planStruct(schema, tree, change, { replacesNull, keepsOptional: true }));
  const mapChange = { value: (value: ConnectValue) => mask.masked(value, undefined), addsMissing: true };
  return {
    apply: (record) => {
      const schema = part.schemaOf(record);
      const value = requireFields(part.valueOf(record), schema, PURPOSE);
      return part.replaced(record, schema === undefined ? changeMap(value, tree, mapChange) : plans.of(schema).copy(value), schema);
    },
  };
}
