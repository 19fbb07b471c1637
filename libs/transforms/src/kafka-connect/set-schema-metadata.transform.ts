import { isConnectObject, SchemaType } from '@sluice/sdk';
import { pathTree, planStruct } from '../fields/path-tree.js';
import { SchemaCache } from '../fields/schema-cache.js';
import { unfit } from '../fields/transform-error.js';
import { REPLACE_NULL_FIELD } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

const NO_PATHS = pathTree<never>([]);
const NO_CHANGE = { field: () => undefined, value: () => null };
const MAX_VERSION = 2 ** 31 - 1;

export const setSchemaMetadataTransforms = partPlugins({
  name: 'SetSchemaMetadata',
  packages: [KAFKA],
  doc: 'Gives the schema of the part of the record another name, version, or both. A part without schema is refused unless it is null.',
  spec: {
    'schema.name': { type: 'string', importance: 'high', optional: true, nonEmpty: true, doc: 'The name.', example: 'com.example.Order' },
    'schema.version': { type: 'int', importance: 'high', optional: true, min: 0, max: MAX_VERSION, doc: 'The version.', example: '2' },
    'replace.null.with.default': REPLACE_NULL_FIELD,
  },
  problems: ({ 'schema.name': name, 'schema.version': version }) => {
    if (name !== undefined || version !== undefined) return [];
    return [{ field: 'schema.name', message: 'Neither schema name nor version configured: set schema.name, schema.version or both' }];
  },
  create: (part, { 'schema.name': name, 'schema.version': version, 'replace.null.with.default': replacesNull }) => {
    const plans = new SchemaCache((original) => ({
      schema: { ...original, ...(name === undefined ? undefined : { name }), ...(version === undefined ? undefined : { version }) },
      copy: planStruct(original, NO_PATHS, NO_CHANGE, { replacesNull, keepsOptional: true }).copy,
    }));
    return {
      apply: (record) => {
        const value = part.valueOf(record);
        const original = part.schemaOf(record);
        if (original === undefined) {
          if (value === null) return record;
          throw unfit('Schema required for [updating schema metadata]; the record has none');
        }
        const { schema, copy } = plans.of(original);
        return part.replaced(record, schema.type === SchemaType.struct && isConnectObject(value) ? copy(value) : value, schema);
      },
    };
  },
});
