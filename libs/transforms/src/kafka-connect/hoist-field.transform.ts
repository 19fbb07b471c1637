import { type Schema, SchemaType } from '@sluice/sdk';
import { SchemaCache } from '../fields/schema-cache.js';
import { setField } from '../fields/structured-value.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

export const hoistFieldTransforms = partPlugins({
  name: 'HoistField',
  packages: [KAFKA],
  doc: 'Puts the part of the record, null too, into the one field of a new struct, or of a new map where it has no schema.',
  spec: { field: { type: 'string', importance: 'medium', nonEmpty: true, doc: 'The name of the field.', example: 'payload' } },
  create: (part, { field }) => {
    const schemas = new SchemaCache((schema): Schema => ({ type: SchemaType.struct, fields: [{ name: field, schema }] }));
    return {
      apply: (record) => {
        const schema = part.schemaOf(record);
        const hoisted = {};
        setField(hoisted, field, part.valueOf(record));
        return part.replaced(record, hoisted, schema && schemas.of(schema));
      },
    };
  },
});
