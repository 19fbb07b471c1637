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

let lastProperties: Buffer | undefined;
let lastText = '';

/** Returns the text of a block. A reader asks several times in a row for the same one, which is decoded once. */
function textOf(properties: Buffer): string {
  if (properties !== lastProperties) {
    lastText = properties.toString('utf8');
    lastProperties = properties;
  }
  return lastText;
}

/**
 * Finds one property without looking at the others. `needle` is what {@link propertyNeedle} made of its name, once.
 * Returns `undefined` if there is none.
 */
export function scanProperty(properties: Buffer, needle: string): string | undefined {
  const text = textOf(properties);
  const from = valueStart(text, needle);
  return from < 0 ? undefined : text.slice(from, endIn(text, from));
}

/** Returns the place of the value, which is not empty, of a property; -1 if there is none. */
export function valueStart(text: string, needle: string): number {
  let at = text.lastIndexOf(needle);
  while (at >= 0) {
    if (at === 0 || text.charCodeAt(at - 1) === VALUE_END) {
      const from = at + needle.length;
      if (endIn(text, from) > from) return from;
    }
    at = at === 0 ? -1 : text.lastIndexOf(needle, at - 1);
  }
  return -1;
}

function endIn(text: string, from: number): number {
  const end = text.indexOf('\u0002', from);
  return end < 0 ? text.length : end;
}

/** Returns what {@link scanProperty} looks for. */
export function propertyNeedle(name: string): string {
  return `${name}\u0001`;
}

/** Calls `visit` for each property in the order of the block. Pieces that are no property are passed over. */
export function forEachProperty(properties: Buffer, visit: (name: string, value: string) => void): void {
  // One text and its slices are several times faster than looking for each piece in the bytes.
  const text = textOf(properties);
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
