/** The names that Confluent's AvroConverter gives to what Avro has no place for. They stand in schemas of registries, so Sluice has the same. */
export const NAMESPACE = 'io.confluent.connect.avro';
export const DEFAULT_NAME = `${NAMESPACE}.ConnectDefault`;
export const MAP_ENTRY = 'MapEntry';
export const UNION_NAME = `${NAMESPACE}.Union`;
export const ENUM_PARAMETER = `${NAMESPACE}.Enum`;
export const RECORD_DOC_PARAMETER = `${NAMESPACE}.record.doc`;
export const FIELD_DOC_PARAMETER = `${NAMESPACE}.field.doc.`;
export const PRECISION_PARAMETER = 'connect.decimal.precision';
export const DEFAULT_PRECISION = 64;

const VALID_NAME = /^[A-Za-z_]\w*$/;

/** A part of a schema in JSON, as Avro defines it. */
export type AvroSchema = string | readonly AvroSchema[] | AvroObject;

export interface AvroObject {
  readonly type: AvroSchema;
  readonly [property: string]: unknown;
}

/**
 * Returns a name that Avro allows. With `scrubs`, characters that it does not allow become `_`, as with `scrub.invalid.names` of Confluent's
 * converter; otherwise such a name is an error.
 *
 * @throws TypeError
 */
export function avroName(name: string, scrubs: boolean): string {
  if (name === '__proto__') throw new TypeError('Avro values cannot have a field that is called __proto__');
  if (VALID_NAME.test(name)) return name;
  if (!scrubs) {
    throw new TypeError(
      `${JSON.stringify(name)} is no name of Avro, which has letters, digits and _; scrub.invalid.names=true replaces others`,
    );
  }
  // Java's form encoding, which Confluent's converter begins with.
  const encoded = encodeURIComponent(name).replaceAll(/[!'()~]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  return (/^[A-Za-z_]/.test(encoded) ? encoded : `x${encoded}`).replaceAll(/\W/g, '_');
}

/** Splits a full name at its last dot. */
export function splitName(fullName: string): { readonly namespace: string | undefined; readonly name: string } {
  const dot = fullName.lastIndexOf('.');
  return dot < 0 ? { namespace: undefined, name: fullName } : { namespace: fullName.slice(0, dot), name: fullName.slice(dot + 1) };
}

export function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

/** Returns the name of a named type with its namespace, or that of the type around it. */
export function fullNameOf(avro: AvroObject, outer: string | undefined): string {
  const name = String(avro['name']);
  if (name.includes('.')) return name;
  const namespace = typeof avro['namespace'] === 'string' ? avro['namespace'] : outer;
  return namespace === undefined || namespace === '' ? name : `${namespace}.${name}`;
}
