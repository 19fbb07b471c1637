import { createWriteStream, existsSync, linkSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { hundredByteLine } from '../support/sample-lines.js';
import { until } from '../support/sluice-cluster.js';

/** Of each line, with its newline. */
export const LINE_BYTES = 100;
const LIMIT_MS = 300_000;

/** Writes a file of numbered lines of {@link LINE_BYTES}. */
export async function writeLines(file: string, lines: number): Promise<void> {
  const out = createWriteStream(file);
  for (let at = 0; at < lines; at += 10_000) {
    const count = Math.min(10_000, lines - at);
    const text = Array.from({ length: count }, (_, i) => `${hundredByteLine(at + i)}\n`).join('');
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** Gives a whole file a second name at once, under which a source waits for it. */
export const appearAs = linkSync;

/** Resolves when a file has that many lines, with how many it has by then. */
export async function untilLines(file: string, lines: number): Promise<number> {
  const bytesOf = (): number => (existsSync(file) ? statSync(file).size : 0);
  await until(
    `${file} has ${lines} lines`,
    () => bytesOf() >= lines * LINE_BYTES,
    LIMIT_MS,
    () => `It has ${bytesOf()} bytes`,
  );
  return Math.floor(bytesOf() / LINE_BYTES);
}
