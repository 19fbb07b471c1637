import { type ConfigSpec, type Field, isRequiredField, isSecretField } from './config-spec.js';

type JsonSchemaValue =
  string | number | boolean | readonly JsonSchemaValue[] | { readonly [key: string]: JsonSchemaValue };
export type JsonSchema = Readonly<Record<string, JsonSchemaValue>>;

/**
 * A JSON schema (draft 2020-12) of a configuration as users write it: a flat object of texts, where numbers and booleans may also
 * be written as such. A setting with aliases is required under any one of its names.
 */
export function toJsonSchema(spec: ConfigSpec): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  const anyOfNames: JsonSchema[] = [];
  for (const [name, field] of Object.entries(spec)) {
    const schema = fieldSchema(field);
    properties[name] = schema;
    for (const alias of field.aliases ?? []) properties[alias] = { ...schema, description: `The same as ${name}.` };
    if (!isRequiredField(field)) continue;
    if (field.aliases === undefined) required.push(name);
    else anyOfNames.push({ anyOf: [name, ...field.aliases].map((known) => ({ required: [known] })) });
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(anyOfNames.length > 0 ? { allOf: anyOfNames } : {}),
  };
}

function fieldSchema(field: Field): JsonSchema {
  const common = {
    ...(field.displayName === undefined ? {} : { title: field.displayName }),
    description: field.doc,
    ...(field.default === undefined || isSecretField(field) ? {} : { default: defaultValue(field.default) }),
    ...(field.example === undefined ? {} : { examples: [field.example] }),
    ...(isSecretField(field) ? { writeOnly: true } : {}),
  };
  switch (field.type) {
    case 'string':
      return {
        ...common,
        type: 'string',
        ...(field.oneOf === undefined ? {} : { enum: field.oneOf }),
        ...(field.nonEmpty === true ? { minLength: 1 } : {}),
        ...(field.pattern === undefined ? {} : { pattern: `^(?:${field.pattern})$` }),
      };
    case 'int':
    case 'long':
    case 'double':
      return {
        ...common,
        type: [field.type === 'double' ? 'number' : 'integer', 'string'],
        ...(field.min === undefined ? {} : { minimum: field.min }),
        ...(field.max === undefined ? {} : { maximum: field.max }),
      };
    case 'boolean':
      return { ...common, enum: [true, false, 'true', 'false'] };
    case 'list':
      return { ...common, type: 'string' };
    case 'password':
      return { ...common, type: 'string', format: 'password' };
    case 'class':
      return { ...common, type: 'string', minLength: 1 };
    default:
      return field satisfies never;
  }
}

function defaultValue(value: NonNullable<Field['default']>): JsonSchemaValue {
  return typeof value === 'object' ? value.join(',') : value;
}
