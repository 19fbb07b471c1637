import { LogicalType, logicalTypeOf, type Schema, SchemaType } from '@sluice/sdk';
import { SchemaCache, schemaBasics } from '../fields/schema-cache.js';
import { requireFields } from '../fields/structured-value.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';

const PURPOSE = 'setting the precision of decimals';
/** The parameter of a Decimal's schema that says how many digits it has at most. */
const PRECISION_PARAMETER = 'connect.decimal.precision';
/** What a Decimal without the parameter has. */
const DEFAULT_PRECISION = 64;

export const setMaximumPrecisionTransforms = partPlugins({
  name: 'SetMaximumPrecision',
  packages: [ROCKETMQ],
  doc: `Limits the precision in the schemas of Decimal fields, the parameter ${PRECISION_PARAMETER}. Values stay as they are.`,
  spec: {
    'precision.max': { type: 'int', importance: 'high', min: 1, max: 64, doc: 'The most digits that a Decimal has.', example: '32' },
  },
  create: (part, { 'precision.max': maximum }) => {
    const schemas = new SchemaCache((schema) => limited(schema, maximum));
    return {
      apply: (record) => {
        const value = part.valueOf(record);
        if (value === null) return record;
        const schema = part.schemaOf(record);
        requireFields(value, schema, PURPOSE);
        if (schema === undefined) return record;
        const changed = schemas.of(schema);
        return changed === schema ? record : part.replaced(record, value, changed);
      },
    };
  },
});

function limited(schema: Schema, maximum: number): Schema {
  const fields = (schema.fields ?? []).map((field) => {
    const { schema: own } = field;
    if (logicalTypeOf(own.name) !== LogicalType.decimal) return field;
    const precision = Number(own.parameters?.[PRECISION_PARAMETER] ?? DEFAULT_PRECISION);
    if (precision <= maximum) return field;
    return { ...field, schema: { ...own, parameters: { ...own.parameters, [PRECISION_PARAMETER]: String(maximum) } } };
  });
  if (fields.every((field, n) => field === schema.fields?.[n])) return schema;
  const optional = schema.optional === true ? { optional: true } : undefined;
  return { type: SchemaType.struct, ...schemaBasics(schema), ...optional, fields };
}
