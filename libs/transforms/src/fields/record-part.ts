import type { ConnectRecord, ConnectValue, Schema } from '@sluice/sdk';

/** The part of a record that a transform works on. */
export interface RecordPart {
  readonly name: 'key' | 'value';
  /** Returns the value of the part; null for a key that is absent. */
  valueOf(record: ConnectRecord): ConnectValue;
  schemaOf(record: ConnectRecord): Schema | undefined;
  /** Returns a copy of the record with another value and schema of the part; without a schema it has none. An absent key stays absent where it is null. */
  replaced(record: ConnectRecord, value: ConnectValue, schema: Schema | undefined): ConnectRecord;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const KEY: RecordPart = {
  name: 'key',
  valueOf: ({ key }) => key ?? null,
  schemaOf: ({ keySchema }) => keySchema,
  replaced(record, value, schema) {
    if (value === null && record.key === undefined && schema === undefined) return record;
    const copy: Mutable<ConnectRecord> = { ...record, key: value };
    if (schema !== undefined) copy.keySchema = schema;
    else if (record.keySchema !== undefined) delete copy.keySchema;
    return copy;
  },
};

export const VALUE: RecordPart = {
  name: 'value',
  valueOf: ({ value }) => value,
  schemaOf: ({ schema }) => schema,
  replaced(record, value, schema) {
    const copy: Mutable<ConnectRecord> = { ...record, value };
    if (schema !== undefined) copy.schema = schema;
    else if (record.schema !== undefined) delete copy.schema;
    return copy;
  },
};
