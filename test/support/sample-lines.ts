import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';

const SCRIPTS = ['plain ascii text ', '数据流过管道，一行也不少。', '🚰🌊💧👩‍🚀', 'naïve café ', '\t tabs and \\ slashes \u0007 '];

/** A line of the number's own: empty now and then, of mixed length and script, and the same for the same number. */
export function sampleLine(number: number): string {
  if (number % 17 === 0) return '';
  const text = SCRIPTS[number % SCRIPTS.length] ?? '';
  return `${number}:${text.repeat(number % 9)}`;
}

/** Appends the lines from `first` to before `end`, in pieces. */
export async function appendLines(file: string, first: number, end: number, line: (number: number) => string = sampleLine): Promise<void> {
  for (let at = first; at < end; at += 5000) {
    const numbers = Array.from({ length: Math.min(5000, end - at) }, (_, i) => at + i);
    await appendFile(file, numbers.map((number) => `${line(number)}\n`).join(''));
  }
}

/** 100 bytes with the newline. */
export function hundredByteLine(number: number): string {
  return `${String(number).padStart(12, '0')} ${'x'.repeat(86)}`;
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
