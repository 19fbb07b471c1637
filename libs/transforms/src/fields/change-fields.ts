import type { ConnectObject, ConnectRecord, Schema, Transform } from '@sluice/sdk';
import type { RecordPart } from './record-part.js';
import { SchemaCache } from './schema-cache.js';
import { requireFields } from './structured-value.js';

/** What a transform makes of the structs of one schema. */
export interface FieldsPlan {
  readonly schema: Schema;
  readonly copy: (fields: ConnectObject, record: ConnectRecord) => ConnectObject;
}

export interface FieldsChange {
  /** Named by the error of a record whose part is no struct or map. */
  readonly purpose: string;
  /** Called once for each schema. @throws ConnectError for a schema whose structs cannot be changed */
  readonly planOf: (schema: Schema) => FieldsPlan;
  /** Returns what becomes of a map that has no schema. */
  readonly ofMap: (fields: ConnectObject, record: ConnectRecord) => ConnectObject;
}

/** Makes a transform that changes the fields of a part, by its schema where it has one; null stays null. */
export function changeFields(part: RecordPart, { purpose, planOf, ofMap }: FieldsChange): Transform {
  const plans = new SchemaCache(planOf);
  return {
    apply: (record) => {
      const value = part.valueOf(record);
      if (value === null) return record;
      const schema = part.schemaOf(record);
      const fields = requireFields(value, schema, purpose);
      if (schema === undefined) return part.replaced(record, ofMap(fields, record), undefined);
      const plan = plans.of(schema);
      return part.replaced(record, plan.copy(fields, record), plan.schema);
    },
  };
}
