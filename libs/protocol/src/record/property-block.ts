/**
 * The properties of a message as the brokers of RocketMQ store them: `key\u0001value\u0002…` in UTF-8, the last separator optional. Of two
 * properties with the same key the last one is valid; one with an empty value is treated as absent.
 */

const VALUE_END = 2;

export const noProperties: Buffer = Buffer.alloc(0);

/** Returns the text of a property in a block; blocks end with a separator, so that they can be joined. Both parts must be free of control characters. */
export function propertyText(name: string, value: string): string {
  return `${name}\u0001${value}\u0002`;
}

/**
 * Finds one property without looking at the others. `needle` is what {@link propertyNeedle} made of its name, once.
 * Returns `undefined` if there is none.
 */
export function scanProperty(properties: Buffer, needle: Buffer): string | undefined {
  const from = valueStart(properties, needle);
  return from < 0 ? undefined : properties.toString('utf8', from, endOfValue(properties, from));
}

/** Returns the place of the property's value, which is not empty; -1 if there is none. */
export function valueStart(properties: Buffer, needle: Buffer): number {
  let at = properties.lastIndexOf(needle);
  while (at >= 0) {
    if (at === 0 || properties[at - 1] === VALUE_END) {
      const from = at + needle.length;
      if (endOfValue(properties, from) > from) return from;
    }
    at = at === 0 ? -1 : properties.lastIndexOf(needle, at - 1);
  }
  return -1;
}

function endOfValue(properties: Buffer, from: number): number {
  const end = properties.indexOf(VALUE_END, from);
  return end < 0 ? properties.length : end;
}

/** Returns the bytes that {@link scanProperty} looks for. */
export function propertyNeedle(name: string): Buffer {
  return Buffer.from(`${name}\u0001`, 'utf8');
}

/** Calls `visit` for each property in the order of the block. Pieces that are no property are passed over. */
export function forEachProperty(properties: Buffer, visit: (name: string, value: string) => void): void {
  // One text and its slices are several times faster than looking for each piece in the bytes.
  const text = properties.toString('utf8');
  let from = 0;
  while (from < text.length) {
    const found = text.indexOf('\u0002', from);
    const end = found < 0 ? text.length : found;
    const split = text.indexOf('\u0001', from);
    if (split < 0) return;
    if (split > from && split + 1 < end) visit(text.slice(from, split), text.slice(split + 1, end));
    from = end + 1;
  }
}
