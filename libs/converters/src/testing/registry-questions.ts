import type { ConnectValue, Converter, Schema, SchemaAndValue } from '@sluice/sdk';

const NEVER = new AbortController().signal;

/** Returns the bytes of a value, once the converter has asked the registry for what they need. */
export async function writePrepared(converter: Converter, value: ConnectValue, schema: Schema, topic = 'orders'): Promise<Buffer> {
  await converter.prepareToBytes?.([{ value, schema, topic }], NEVER);
  return Buffer.from(converter.toBytes(value, schema, topic) ?? []);
}

/** Returns the value of bytes, once the converter has asked the registry for what they need. */
export async function readPrepared(converter: Converter, bytes: Buffer, topic = 'orders'): Promise<SchemaAndValue> {
  await converter.prepareFromBytes?.([{ bytes, topic }], NEVER);
  return converter.fromBytes(bytes, topic);
}
