import { type ConnectObject, type ConnectValue, isConnectObject, type Schema, type SchemaField, SchemaType } from '@sluice/sdk';
import type { FieldPath } from './field-path.js';
import { schemaBasics } from './schema-cache.js';
import { type FieldsInMaking, requireFields, setField, structField } from './structured-value.js';

/** Paths to fields by their first names, so that one pass over a value finds all of them. */
export interface PathTree<T> {
  readonly leaf?: T;
  readonly children: ReadonlyMap<string, PathTree<T>>;
}

/** Makes one tree of paths. Of equal paths the last one is valid. */
export function pathTree<T>(entries: Iterable<readonly [FieldPath, T]>): PathTree<T> {
  const root: MutableTree<T> = { children: new Map() };
  for (const [path, leaf] of entries) {
    let node = root;
    for (const name of path) {
      const next: MutableTree<T> = node.children.get(name) ?? { children: new Map() };
      node.children.set(name, next);
      node = next;
    }
    node.leaf = leaf;
  }
  return root;
}

interface MutableTree<T> {
  leaf?: T;
  readonly children: Map<string, MutableTree<T>>;
}

/** What a transform makes of the fields that its paths lead to. */
export interface FieldChange<T> {
  /** Returns the field, or another one in its place, or `undefined` to remove it. */
  field(field: SchemaField, leaf: T): SchemaField | undefined;
  /** Returns the new value of a field with a schema. */
  value(value: ConnectValue, leaf: T, schema: Schema): ConnectValue;
}

/** Says how values of one struct are copied into those of its changed schema. */
interface CopyStep {
  readonly from: string;
  readonly to: string;
  readonly schema: Schema;
  readonly change?: (value: ConnectValue) => ConnectValue;
}

/** A changed schema of structs, with the way to make its values. */
export interface StructPlan {
  readonly schema: Schema;
  readonly copy: (value: ConnectObject) => ConnectObject;
}

export interface StructPlanOptions {
  readonly replacesNull: boolean;
  /** Whether the changed schema is optional, and has a default, where the original is and has. */
  readonly keepsOptional: boolean;
}

/** Plans how structs of a schema are changed along some paths. Structs on the way to a field are changed too; everything else is kept. */
export function planStruct<T>(schema: Schema, tree: PathTree<T>, change: FieldChange<T>, options: StructPlanOptions): StructPlan {
  const fields: SchemaField[] = [];
  const steps: CopyStep[] = [];
  for (const field of schema.fields ?? []) {
    const { name } = field;
    const node = tree.children.get(name);
    if (node === undefined || (node.leaf === undefined && field.schema.type !== SchemaType.struct)) {
      fields.push(field);
      steps.push({ from: name, to: name, schema: field.schema });
    } else if (node.leaf !== undefined) {
      const { leaf } = node;
      const changed = change.field(field, leaf);
      if (changed === undefined) continue;
      fields.push(changed);
      steps.push({ from: name, to: changed.name, schema: field.schema, change: (value) => change.value(value, leaf, field.schema) });
    } else {
      const nested = planStruct(field.schema, node, change, { ...options, keepsOptional: true });
      fields.push({ name, schema: nested.schema });
      steps.push({
        from: name,
        to: name,
        schema: field.schema,
        change: (value) => (value === null ? null : nested.copy(requireFields(value, field.schema, 'nested field access'))),
      });
    }
  }
  const copy = copier(steps, options.replacesNull);
  const base: Schema = { type: SchemaType.struct, ...schemaBasics(schema), fields };
  if (!options.keepsOptional) return { schema: base, copy };
  return {
    schema: {
      ...base,
      ...(schema.optional === undefined ? undefined : { optional: schema.optional }),
      ...(isConnectObject(schema.default) ? { default: copy(schema.default) } : undefined),
    },
    copy,
  };
}

function copier(steps: readonly CopyStep[], replacesNull: boolean): StructPlan['copy'] {
  return (value) => {
    const copy: FieldsInMaking = {};
    for (const { from, to, schema, change } of steps) {
      const given = structField(value, from, schema, replacesNull);
      setField(copy, to, change === undefined ? given : change(given));
    }
    return copy;
  };
}

/** What a transform makes of the fields of maps without a schema that its paths lead to. */
export interface MapChange<T> {
  /** Returns the new value; `undefined` removes the field. */
  value(value: ConnectValue, leaf: T): ConnectValue | undefined;
  /** Whether {@link value} is asked for null where the map has no such field; else it stays without one. */
  readonly addsMissing: boolean;
}

/** Returns a copy of a map without a schema, changed along some paths. Where a path meets something else than a map, nothing is changed. */
export function changeMap<T>(value: ConnectObject, tree: PathTree<T>, change: MapChange<T>): ConnectObject {
  const copy: FieldsInMaking = { ...value };
  for (const [name, node] of tree.children) {
    const isThere = Object.hasOwn(value, name);
    const given = isThere ? (value[name] ?? null) : null;
    if (node.leaf !== undefined) {
      if (!isThere && !change.addsMissing) continue;
      const changed = change.value(given, node.leaf);
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a copy, and the name is one that the settings have
      if (changed === undefined) delete copy[name];
      else setField(copy, name, changed);
    } else if (isConnectObject(given)) setField(copy, name, changeMap(given, node, change));
  }
  return copy;
}
