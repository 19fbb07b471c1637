import { SchemaType } from '@sluice/sdk';
import { requireUniqueNames, SchemaCache, schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, requireFields, setField, structField } from '../fields/structured-value.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';
import { CASE_FORMATS, changeCase } from './case-format.js';

const PURPOSE = 'changing the case of names';

export const changeCaseTransforms = partPlugins({
  name: 'ChangeCase',
  packages: [ROCKETMQ],
  doc: 'Writes the names of all fields in another case; null stays null.',
  spec: {
    from: { type: 'string', importance: 'high', oneOf: CASE_FORMATS, doc: 'How the names are written now.', example: 'UPPER_UNDERSCORE' },
    to: { type: 'string', importance: 'high', oneOf: CASE_FORMATS, doc: 'How they are written then.', example: 'LOWER_CAMEL' },
  },
  create: (part, { from, to }) => {
    const plans = new SchemaCache((schema) => {
      const fields = (schema.fields ?? []).map((field) => ({ name: changeCase(field.name, from, to), from: field }));
      requireUniqueNames(fields.map(({ name }) => name));
      return {
        fields,
        schema: {
          type: SchemaType.struct,
          ...schemaBasics(schema),
          ...(schema.optional === true ? { optional: true } : undefined),
          fields: fields.map(({ name, from: { schema: own } }) => ({ name, schema: own })),
        },
      };
    });
    return {
      apply: (record) => {
        const value = part.valueOf(record);
        if (value === null) return record;
        const schema = part.schemaOf(record);
        const given = requireFields(value, schema, PURPOSE);
        const changed: FieldsInMaking = {};
        if (schema === undefined) {
          for (const [name, each] of Object.entries(given)) setField(changed, changeCase(name, from, to), each);
          return part.replaced(record, changed, undefined);
        }
        const plan = plans.of(schema);
        for (const { name, from: field } of plan.fields) setField(changed, name, structField(given, field.name, field.schema, false));
        return part.replaced(record, changed, plan.schema);
      },
    };
  },
});
