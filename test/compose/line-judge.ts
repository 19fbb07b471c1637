/** What arrived of numbered lines, `<source> <number>` with the numbers of each source from 0. */
export interface LineVerdict {
  /** Lines of each source, duplicate ones included. */
  readonly arrived: ReadonlyMap<string, number>;
  /** Lines that never came, up to the number of lines that were written. */
  readonly missing: number;
  /** Lines that came before. */
  readonly duplicates: number;
  /** Lines that came for the first time after a higher number of their source. */
  readonly outOfOrder: number;
  /** Lines that nobody wrote. */
  readonly foreign: number;
  /** The first findings, each with its line. */
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 20;

/**
 * Judges the lines of a text in their order; a last line without its newline does not count.
 *
 * @param written how many lines each source has
 */
export function judgeLines(text: string, written: ReadonlyMap<string, number>): LineVerdict {
  const seen = new Map([...written.keys()].map((source) => [source, { numbers: new Set<number>(), highest: -1, count: 0 }]));
  const examples: string[] = [];
  const counts = { duplicates: 0, outOfOrder: 0, foreign: 0 };
  const find = (kind: keyof typeof counts, at: number, line: string): void => {
    counts[kind] += 1;
    if (examples.length < MAX_EXAMPLES) examples.push(`${kind} in line ${at + 1}: ${line.slice(0, 100)}`);
  };
  for (const [at, line] of text.split('\n').slice(0, -1).entries()) {
    const [, source = '', digits = ''] = /^(\S+) (\d+)$/.exec(line) ?? [];
    const number = Number(digits);
    const known = seen.get(source);
    if (known === undefined || number >= (written.get(source) ?? 0)) {
      find('foreign', at, line);
      continue;
    }
    known.count += 1;
    if (known.numbers.has(number)) find('duplicates', at, line);
    else if (number < known.highest) find('outOfOrder', at, line);
    known.numbers.add(number);
    known.highest = Math.max(known.highest, number);
  }
  let missing = 0;
  for (const [source, count] of written) {
    const absent = count - (seen.get(source)?.numbers.size ?? 0);
    missing += absent;
    if (absent > 0 && examples.length < MAX_EXAMPLES) examples.push(`${absent} of ${source} are missing`);
  }
  return { arrived: new Map([...seen].map(([source, { count }]) => [source, count])), missing, ...counts, examples };
}
