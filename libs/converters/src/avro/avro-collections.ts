import avsc from 'avsc';

/** How many items without bytes, as null and empty records, one value may have. */
const MAX_EMPTY_ITEMS = 100_000;

/** What this file needs of the library's reader of bytes. Past its bytes a reader finds zeros. */
interface Tap {
  readonly buf: Uint8Array;
  pos: number;
  /** Items without bytes so far. */
  emptyItems?: number;
  readLong(): number;
  skipLong(): void;
  readString(): string;
}

interface ReadableType {
  _read(tap: Tap): unknown;
}

/** Reads no more items than the bytes hold: the library believes the count in the bytes. */
class BoundedArray extends avsc.types.ArrayType {
  _read(tap: Tap): unknown {
    return arrayFrom(tap, this.itemsType as unknown as ReadableType);
  }
}

/** Reads no more entries than the bytes hold; each key becomes a property of its own, also `__proto__`. */
class BoundedMap extends avsc.types.MapType {
  _read(tap: Tap): unknown {
    return mapFrom(tap, this.valuesType as ReadableType);
  }
}

/** Returns the type of an array or a map. */
export function collectionOf(schema: unknown, options: object): avsc.Type | undefined {
  const { type } = (typeof schema === 'object' && schema !== null ? schema : {}) as { readonly type?: unknown };
  if (type === 'array') return new BoundedArray(schema as ConstructorParameters<typeof BoundedArray>[0], options);
  return type === 'map' ? new BoundedMap(schema as ConstructorParameters<typeof BoundedMap>[0], options) : undefined;
}

function arrayFrom(tap: Tap, items: ReadableType): unknown[] {
  const found: unknown[] = [];
  for (let left = blockSize(tap); left > 0; left = blockSize(tap)) {
    for (; left > 0; left -= 1) {
      const start = tap.pos;
      found.push(items._read(tap));
      requireBytes(tap, start);
    }
  }
  return found;
}

function mapFrom(tap: Tap, values: ReadableType): object {
  const found = Object.create(null) as Record<string, unknown>;
  for (let left = blockSize(tap); left > 0; left = blockSize(tap)) {
    for (; left > 0; left -= 1) {
      const start = tap.pos;
      const key = tap.readString();
      found[key] = values._read(tap);
      requireBytes(tap, start);
    }
  }
  return found;
}

/** Reads the count of items that follow; the size in bytes behind a negative one is not needed. */
function blockSize(tap: Tap): number {
  const count = tap.readLong();
  if (count < 0) tap.skipLong();
  return Math.abs(count);
}

function requireBytes(tap: Tap, start: number): void {
  if (tap.pos > tap.buf.length) throw new TypeError('truncated buffer');
  if (tap.pos > start) return;
  tap.emptyItems = (tap.emptyItems ?? 0) + 1;
  if (tap.emptyItems > MAX_EMPTY_ITEMS) throw new TypeError(`The value has more than ${MAX_EMPTY_ITEMS} items without bytes`);
}
