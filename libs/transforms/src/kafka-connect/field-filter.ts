import { type ConnectObject, type ConnectValue, isConnectObject, type Schema, type SchemaField, SchemaType } from '@sluice/sdk';
import type { PathTree, StructPlan } from '../fields/path-tree.js';
import { requireUniqueNames, schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, requireFields, setField, structField } from '../fields/structured-value.js';

/** Which fields of a struct or map stay, and what they are called. */
export interface FieldFilter {
  readonly exclude: PathTree<true> | undefined;
  /** Without it all stay. */
  readonly include: PathTree<true> | undefined;
  readonly renames: PathTree<string> | undefined;
}

/** What becomes of one field: its name, and the filter of the fields in it, if it has one. */
interface FilteredField {
  readonly name: string;
  readonly inner: FieldFilter | undefined;
}

/** Returns a copy of a map with the fields that stay. */
export function filterMap(value: ConnectObject, filter: FieldFilter): ConnectObject {
  const copy: FieldsInMaking = {};
  for (const [name, given] of Object.entries(value)) {
    const field = filtered(name, filter);
    if (field === undefined) continue;
    const { inner } = field;
    if (inner === undefined || given === null) setField(copy, field.name, given);
    else if (isConnectObject(given)) setField(copy, field.name, filterMap(given, inner));
    // A path that is included does not lead through anything but maps.
    else if (inner.include === undefined) setField(copy, field.name, given);
  }
  return copy;
}

/** Plans structs with the fields of a schema that stay. @throws ConnectError for a name that two fields would have */
export function planFilter(schema: Schema, filter: FieldFilter, replacesNull: boolean, keepsOptional: boolean): StructPlan {
  const fields: SchemaField[] = [];
  const steps: { readonly from: SchemaField; readonly to: string; readonly copy: StructPlan['copy'] | undefined }[] = [];
  for (const from of schema.fields ?? []) {
    const field = filtered(from.name, filter);
    if (field === undefined) continue;
    const { inner } = field;
    const isStruct = from.schema.type === SchemaType.struct;
    if (inner?.include !== undefined && !isStruct) continue;
    const plan = inner !== undefined && isStruct ? planFilter(from.schema, inner, replacesNull, true) : undefined;
    fields.push({ name: field.name, schema: plan?.schema ?? from.schema });
    steps.push({ from, to: field.name, copy: plan?.copy });
  }
  requireUniqueNames(fields.map(({ name }) => name));
  const optional = keepsOptional && schema.optional === true ? { optional: true } : undefined;
  return {
    schema: { type: SchemaType.struct, ...schemaBasics(schema), fields, ...optional },
    copy: (value) => {
      const result: FieldsInMaking = {};
      for (const { from, to, copy } of steps) {
        const given: ConnectValue = structField(value, from.name, from.schema, replacesNull);
        setField(result, to, copy === undefined || given === null ? given : copy(requireFields(given, from.schema, 'field replacement')));
      }
      return result;
    },
  };
}

/** Returns what becomes of a field; `undefined` where it is removed. */
function filtered(name: string, { exclude, include, renames }: FieldFilter): FilteredField | undefined {
  const excluded = exclude?.children.get(name);
  const included = include?.children.get(name);
  if (excluded?.leaf === true || (include !== undefined && included === undefined)) return undefined;
  const renamed = renames?.children.get(name);
  const innerInclude = included?.leaf === true ? undefined : included;
  const innerRenames = renamed !== undefined && renamed.children.size > 0 ? renamed : undefined;
  const hasInner = excluded !== undefined || innerInclude !== undefined || innerRenames !== undefined;
  return {
    name: renamed?.leaf ?? name,
    inner: hasInner ? { exclude: excluded, include: innerInclude, renames: innerRenames } : undefined,
  };
}
