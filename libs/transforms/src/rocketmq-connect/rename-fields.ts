import { SchemaType, type Transform } from '@sluice/sdk';
import { changeFields } from '../fields/change-fields.js';
import type { RecordPart } from '../fields/record-part.js';
import { requireUniqueNames, schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, setField, structField } from '../fields/structured-value.js';

/** Makes a transform that gives each field at the top another name. */
export function renameFields(part: RecordPart, purpose: string, nameOf: (name: string) => string): Transform {
  return changeFields(part, {
    purpose,
    planOf: (schema) => {
      const renamed = (schema.fields ?? []).map((from) => ({ name: nameOf(from.name), from }));
      requireUniqueNames(renamed.map(({ name }) => name));
      return {
        schema: {
          type: SchemaType.struct,
          ...schemaBasics(schema),
          ...(schema.optional === true ? { optional: true } : undefined),
          fields: renamed.map(({ name, from }) => ({ name, schema: from.schema })),
        },
        copy: (fields) => {
          const copy: FieldsInMaking = {};
          for (const { name, from } of renamed) setField(copy, name, structField(fields, from.name, from.schema, false));
          return copy;
        },
      };
    },
    ofMap: (fields) => {
      const copy: FieldsInMaking = {};
      for (const [name, value] of Object.entries(fields)) setField(copy, nameOf(name), value);
      return copy;
    },
  });
}
