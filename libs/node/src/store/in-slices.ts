import { setImmediate as turn } from 'node:timers/promises';

/** Work on a large file holds the event loop no longer than this, in milliseconds; leases and reports wait behind it. */
export const SLICE_MS = 5;
const SLICE_LENGTH = 65_536;

/** Joins text into buffers, and yields to the event loop after each. */
export async function* inSlices(parts: Iterable<string>): AsyncGenerator<Buffer> {
  let texts: string[] = [];
  let length = 0;
  let startedAt = performance.now();
  for (const text of parts) {
    texts.push(text);
    length += text.length;
    if (length < SLICE_LENGTH && performance.now() - startedAt < SLICE_MS) continue;
    yield Buffer.from(texts.join(''));
    texts = [];
    length = 0;
    await turn();
    startedAt = performance.now();
  }
  if (texts.length > 0) yield Buffer.from(texts.join(''));
}
