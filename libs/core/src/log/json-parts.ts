/**
 * The JSON text of a value in small parts, so that whoever writes a large one can do something else in between. What can be iterated is
 * written as an array, also a generator, which is asked for one item at a time.
 *
 * @param depth how far down objects and lists are cut into parts
 */
export function* jsonParts(value: unknown, depth = 2): Generator<string> {
  if (depth === 0 || typeof value !== 'object' || value === null) {
    yield value === undefined ? 'null' : JSON.stringify(value);
    return;
  }
  if (isIterable(value)) {
    let before = '[';
    for (const item of value) {
      yield before;
      yield* jsonParts(item, depth - 1);
      before = ',\n';
    }
    yield before === '[' ? '[]' : ']';
    return;
  }
  let before = '{';
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    yield `${before}${JSON.stringify(key)}:`;
    yield* jsonParts(item, depth - 1);
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

/** At least as many bytes as a text takes as UTF-8. */
export function utf8Bound(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : 3 * text.length;
}
