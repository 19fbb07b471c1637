import { type AvroObject, type AvroSchema, fullNameOf, isUnion, splitName } from './avro-names.js';

/** A part of a schema with the namespace that names in it have. */
interface Part {
  readonly schema: AvroSchema;
  readonly namespace: string | undefined;
}

type Names = Map<string, Part>;

/**
 * Requires that another schema gives what the first one writes the same meaning: logical types, and scales of decimals, must be the same.
 * Bytes alone are what the library compares. Dates and times without a logical type there stay the same numbers.
 *
 * @param own a schema that does not hold itself
 * @param others the texts of the other schema, in JSON, the last is what is compared
 * @throws TypeError that names the place
 */
export function requireSameMeaning(own: AvroSchema, others: readonly AvroSchema[]): void {
  const ownNames: Names = new Map();
  const otherNames: Names = new Map();
  collect(own, undefined, ownNames);
  for (const each of others) collect(each, undefined, otherNames);
  const other = others.at(-1);
  if (other === undefined) return;
  const compare = (one: Part | undefined, two: Part | undefined, path: string): void => {
    const [a, b] = [resolved(one, ownNames), resolved(two, otherNames)];
    if (a === undefined || b === undefined) return;
    if (isUnion(a.schema)) {
      const branches = isUnion(b.schema) ? b.schema : [b.schema];
      for (const branch of a.schema) {
        const match = branches.find((each) => branchOf(each, b.namespace) === branchOf(branch, a.namespace));
        if (match !== undefined) compare({ ...a, schema: branch }, { ...b, schema: match }, path);
      }
      return;
    }
    if (typeof a.schema === 'string' || typeof b.schema === 'string' || isUnion(b.schema)) return;
    const [meaning, otherMeaning] = [meaningOf(a.schema), meaningOf(b.schema)];
    const isDropped = otherMeaning === undefined && meaning?.startsWith('decimal') !== true;
    if (meaning !== undefined && meaning !== otherMeaning && !isDropped) {
      throw new TypeError(`${path}: the latest schema has ${otherMeaning ?? 'no logical type'} where the record's has ${meaning}`);
    }
    compare(partOf(a, 'items'), partOf(b, 'items'), `${path}[]`);
    compare(partOf(a, 'values'), partOf(b, 'values'), `${path}{}`);
    const otherFields = new Map(fieldsOf(b.schema).map((field) => [field.name, field.type]));
    for (const { name, type } of fieldsOf(a.schema)) {
      const match = otherFields.get(name);
      if (match !== undefined) compare({ ...a, schema: type }, { ...b, schema: match }, `${path}.${name}`);
    }
  };
  compare({ schema: own, namespace: undefined }, { schema: other, namespace: undefined }, 'value');
}

function collect(schema: AvroSchema | undefined, namespace: string | undefined, names: Names): void {
  if (schema === undefined || typeof schema === 'string') return;
  if (isUnion(schema)) {
    for (const branch of schema) collect(branch, namespace, names);
    return;
  }
  if (typeof schema.type !== 'string') {
    collect(schema.type, namespace, names);
    return;
  }
  const inner = namespaceIn(schema, namespace);
  if (typeof schema['name'] === 'string') names.set(fullNameOf(schema, namespace), { schema, namespace });
  for (const { type } of fieldsOf(schema)) collect(type, inner, names);
  collect(schema['items'] as AvroSchema | undefined, inner, names);
  collect(schema['values'] as AvroSchema | undefined, inner, names);
}

/** Returns what a name stands for, with the namespace inside of it. */
function resolved(part: Part | undefined, names: Names): Part | undefined {
  if (part === undefined) return undefined;
  const { schema, namespace } = part;
  if (typeof schema === 'string') {
    const found = names.get(namespace === undefined || schema.includes('.') ? schema : `${namespace}.${schema}`) ?? names.get(schema);
    return found === undefined ? { schema: { type: schema }, namespace } : resolved(found, names);
  }
  if (isUnion(schema)) return part;
  if (typeof schema.type !== 'string') return resolved({ schema: schema.type, namespace }, names);
  return { schema, namespace: namespaceIn(schema, namespace) };
}

function namespaceIn(schema: AvroObject, outer: string | undefined): string | undefined {
  return typeof schema['name'] === 'string' ? splitName(fullNameOf(schema, outer)).namespace : outer;
}

/** What stands for a branch in a union: the full name of a named type. */
function branchOf(schema: AvroSchema, namespace: string | undefined): string {
  if (typeof schema === 'string') return schema;
  if (isUnion(schema)) return '';
  if (typeof schema.type !== 'string') return branchOf(schema.type, namespace);
  return typeof schema['name'] === 'string' ? fullNameOf(schema, namespace) : schema.type;
}

function meaningOf(schema: AvroObject): string | undefined {
  const logical = schema['logicalType'];
  if (typeof logical !== 'string') return undefined;
  return logical === 'decimal' ? `decimal with scale ${Number(schema['scale'] ?? 0)}` : logical;
}

function partOf({ schema, namespace }: Part, name: 'items' | 'values'): Part | undefined {
  const part = (schema as AvroObject)[name] as AvroSchema | undefined;
  return part === undefined ? undefined : { schema: part, namespace };
}

function fieldsOf(schema: AvroObject): readonly { readonly name: string; readonly type: AvroSchema }[] {
  const fields = schema['fields'];
  return Array.isArray(fields) ? (fields as readonly { readonly name: string; readonly type: AvroSchema }[]) : [];
}
