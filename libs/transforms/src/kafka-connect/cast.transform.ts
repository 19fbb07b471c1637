import { type ConnectValue, type FieldError, logicalTypeOf, type Schema, SchemaType, type Transform } from '@sluice/sdk';
import { changeFields } from '../fields/change-fields.js';
import { type FieldPath, fieldPathErrors, parseFieldPath } from '../fields/field-path.js';
import { changeMap, type FieldChange, pathTree, planStruct } from '../fields/path-tree.js';
import type { RecordPart } from '../fields/record-part.js';
import { SchemaCache, schemaBasics } from '../fields/schema-cache.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';
import { CAST_TYPES, type CastType, castValue } from './cast-value.js';

const PURPOSE = 'cast types';

const spec = {
  spec: {
    type: 'list',
    importance: 'high',
    nonEmpty: true,
    doc: `Fields with the types that they are cast to, or one type for the whole value: ${CAST_TYPES.join(', ')}. Bytes are cast to string alone, in base64.`,
    example: 'id:int64,price:string',
  },
  'replace.null.with.default': REPLACE_NULL_FIELD,
  'field.syntax.version': FIELD_SYNTAX_FIELD,
} as const;

/** One item of the setting; without a field the whole value is cast. */
interface CastItem {
  readonly field?: string;
  readonly type: CastType;
}

export const castTransforms = partPlugins({
  name: 'Cast',
  packages: [KAFKA],
  doc: 'Casts fields, or the whole part of the record, to other types.',
  spec,
  problems: ({ spec: items, 'field.syntax.version': syntax }) => {
    const errors = castErrors(items);
    if (errors.length > 0) return errors;
    const fields = items.map(itemOf).flatMap(({ field }) => (field === undefined ? [] : [field]));
    return fieldPathErrors('spec', fields, syntaxOf(syntax));
  },
  create: (part, settings) => {
    const items = settings.spec.map(itemOf);
    const whole = items.find(({ field }) => field === undefined);
    if (whole !== undefined) return castWhole(part, whole.type);
    const syntax = syntaxOf(settings['field.syntax.version']);
    const casts = items.map(({ field, type }) => [parseFieldPath(field ?? '', syntax), type] as const);
    return castFields(part, casts, settings['replace.null.with.default']);
  },
});

function castWhole(part: RecordPart, type: CastType): Transform {
  // The name of a logical type would say of the new type what it is not.
  const schemas = new SchemaCache((schema) => ({
    ...castSchema(schema, type),
    ...(logicalTypeOf(schema.name) === undefined ? schemaBasics(schema) : undefined),
  }));
  return {
    apply: (record) => {
      const value = part.valueOf(record);
      if (value === null) return record;
      const schema = part.schemaOf(record);
      return part.replaced(record, castValue(schema, value, type), schema === undefined ? undefined : schemas.of(schema));
    },
  };
}

function castFields(part: RecordPart, casts: readonly (readonly [FieldPath, CastType])[], replacesNull: boolean): Transform {
  const tree = pathTree(casts);
  const change: FieldChange<CastType> = {
    field: ({ name, schema }, type) => ({ name, schema: castSchema(schema, type) }),
    value: (value, type, schema) => castValue(schema, value, type),
  };
  const mapChange = { value: (value: ConnectValue, type: CastType) => castValue(undefined, value, type), addsMissing: true };
  return changeFields(part, {
    purpose: PURPOSE,
    planOf: (schema) => planStruct(schema, tree, change, { replacesNull, keepsOptional: true }),
    ofMap: (fields) => changeMap(fields, tree, mapChange),
  });
}

function castSchema({ optional, ...original }: Schema, type: CastType): Schema {
  const fallback = original.default === undefined ? null : castValue(original, original.default, type);
  return {
    type: SchemaType[type],
    ...(optional === undefined ? undefined : { optional }),
    ...(fallback === null ? undefined : { default: fallback }),
  };
}

function itemOf(text: string): CastItem {
  const [first = '', second] = text.split(':').map((part) => part.trim());
  const type = (second ?? first).toLowerCase() as CastType;
  return second === undefined ? { type } : { field: first, type };
}

function castErrors(items: readonly string[]): readonly FieldError[] {
  const problem = (item: string, reason: string): FieldError => ({
    field: 'spec',
    message: `Invalid value ${item} for configuration spec: ${reason}`,
  });
  const errors = items.flatMap((item) => {
    if (item.split(':').length > 2)
      return [problem(item, 'Invalid cast: allowed are a type, or a field and a type with one colon between')];
    const { type } = itemOf(item);
    if (CAST_TYPES.includes(type)) return [];
    return [problem(item, `Cast transformation does not support casting to ${type}; supported types are ${CAST_TYPES.join(', ')}`)];
  });
  const castsWhole = items.some((item) => !item.includes(':'));
  if (errors.length > 0 || !castsWhole || items.length === 1) return errors;
  return [problem(items.join(','), 'a type for the whole value may only be given alone')];
}
