const MAGIC = 0;
/** The magic byte and the id of the schema, in big-endian order. */
export const PREFIX_BYTES = 5;

/** Returns the bytes of a value behind the id of its schema, as Confluent's serializers write them. */
export function withSchemaId(id: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + payload.length);
  bytes[0] = MAGIC;
  bytes.writeInt32BE(id, 1);
  bytes.set(payload, PREFIX_BYTES);
  return bytes;
}

/** Returns the id in front of a value. @throws TypeError for bytes without one */
export function schemaIdOf(bytes: Buffer): number {
  const [first] = bytes;
  if (bytes.length < PREFIX_BYTES)
    throw new TypeError(`${bytes.length} bytes given; a value behind the id of its schema has at least ${PREFIX_BYTES}`);
  if (first !== MAGIC) throw new TypeError(`Unknown magic byte ${first}; a value behind the id of its schema begins with ${MAGIC}`);
  return bytes.readInt32BE(1);
}
