import {
  type ConnectObject,
  type ConnectRecord,
  type ConnectValue,
  isConnectObject,
  type Schema,
  type SchemaField,
  SchemaType,
} from '@sluice/sdk';
import type { PathTree } from '../fields/path-tree.js';
import { schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, requireFields, setField, structField } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';

/** A field that InsertField adds. */
export interface Insertion {
  /** The setting that names it, for errors. */
  readonly setting: string;
  readonly schema: Schema;
  /** Returns what the record has for it; `undefined` where that is nothing. */
  readonly valueOf: (record: ConnectRecord, hasSchema: boolean) => ConnectValue | undefined;
}

/** A schema with added fields, with the way to make its values. */
interface InsertionPlan {
  readonly schema: Schema;
  readonly copy: (value: ConnectObject, record: ConnectRecord) => ConnectObject;
}

/** Plans structs of a schema with more fields. @throws ConnectError for a field that the schema has */
export function planInsertions(schema: Schema, tree: PathTree<Insertion>, replacesNull: boolean, keepsOptional: boolean): InsertionPlan {
  const fields: SchemaField[] = [];
  const steps: ((copy: FieldsInMaking, value: ConnectObject, record: ConnectRecord) => void)[] = [];
  for (const field of schema.fields ?? []) {
    const { name, schema: own } = field;
    const node = tree.children.get(name);
    if (node?.leaf !== undefined) throw unfit(`Cannot create field because of field name duplication ${name}, of ${node.leaf.setting}`);
    if (node === undefined) {
      fields.push(field);
      steps.push((copy, value) => {
        setField(copy, name, structField(value, name, own, replacesNull));
      });
      continue;
    }
    if (own.type !== SchemaType.struct)
      throw unfit(`Only Struct objects supported for [nested field insertion], found: ${own.type} in ${name}`);
    const plan = planInsertions(own, node, replacesNull, true);
    fields.push({ name, schema: plan.schema });
    steps.push((copy, value, record) => {
      const inner = structField(value, name, own, replacesNull);
      setField(copy, name, inner === null ? null : plan.copy(requireFields(inner, own, 'nested field insertion'), record));
    });
  }
  for (const [name, node] of tree.children) {
    if (fields.some((field) => field.name === name)) continue;
    const { leaf } = node;
    const plan = leaf === undefined ? planInsertions({ type: SchemaType.struct, fields: [] }, node, replacesNull, false) : undefined;
    fields.push({ name, schema: plan?.schema ?? leaf?.schema ?? { type: SchemaType.struct, fields: [] } });
    steps.push((copy, _, record) => {
      const value = leaf === undefined ? plan?.copy({}, record) : insertedValue(leaf, record);
      setField(copy, name, value ?? null);
    });
  }
  const optional = keepsOptional && schema.optional === true ? { optional: true } : undefined;
  return {
    schema: { type: SchemaType.struct, ...schemaBasics(schema), fields, ...optional },
    copy: (value, record) => {
      const copy: FieldsInMaking = {};
      for (const step of steps) step(copy, value, record);
      return copy;
    },
  };
}

/** Returns a copy of a map with more fields, in place of those that it has. */
export function insertIntoMap(value: ConnectObject, tree: PathTree<Insertion>, record: ConnectRecord): ConnectObject {
  const copy: FieldsInMaking = { ...value };
  for (const [name, node] of tree.children) {
    if (node.leaf !== undefined) {
      const inserted = node.leaf.valueOf(record, false);
      if (inserted !== undefined) setField(copy, name, inserted);
      continue;
    }
    const inner: ConnectValue = Object.hasOwn(value, name) ? (value[name] ?? null) : {};
    if (inner === null) continue;
    if (!isConnectObject(inner)) throw unfit(`Only Map objects supported in absence of schema for [nested field insertion], in ${name}`);
    setField(copy, name, insertIntoMap(inner, node, record));
  }
  return copy;
}

function insertedValue({ setting, schema, valueOf }: Insertion, record: ConnectRecord): ConnectValue {
  const value = valueOf(record, true);
  if (value !== undefined) return value;
  if (schema.optional === true) return null;
  throw unfit(`the record has nothing for ${setting}, whose field is required; write ? behind its name to make it optional`);
}
