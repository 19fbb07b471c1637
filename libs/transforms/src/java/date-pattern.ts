/** A part of a date pattern: characters that stand for themselves, or a letter that was given `count` times. */
export type DateElement = { readonly text: string } | { readonly letter: string; readonly count: number };

/** The letters of `java.text.SimpleDateFormat`, with what they stand for. */
export const DATE_LETTERS: Readonly<Record<string, string>> = {
  G: 'era',
  y: 'year',
  Y: 'year of the week',
  M: 'month',
  L: 'month',
  w: 'week of the year',
  W: 'week of the month',
  D: 'day of the year',
  d: 'day of the month',
  F: 'which such weekday of the month',
  E: 'name of the weekday',
  u: 'number of the weekday',
  a: 'AM or PM',
  H: 'hour, 0 to 23',
  k: 'hour, 1 to 24',
  K: 'hour, 0 to 11',
  h: 'hour, 1 to 12',
  m: 'minute',
  s: 'second',
  S: 'millisecond',
  z: 'name of the zone',
  Z: 'offset of the zone, +0000',
  X: 'offset of the zone in ISO 8601',
};

/** Letters that say a day only together with others that a text rarely has. */
const NOT_PARSED = 'YwWF';
const QUOTE = "'";

/**
 * Reads a pattern of `java.text.SimpleDateFormat`.
 *
 * @throws SyntaxError naming a letter that has no meaning, or a quote that does not end
 */
export function parseDatePattern(pattern: string): readonly DateElement[] {
  const elements: DateElement[] = [];
  let at = 0;
  const addText = (text: string): void => {
    const last = elements.at(-1);
    if (last !== undefined && 'text' in last) elements[elements.length - 1] = { text: last.text + text };
    else elements.push({ text });
  };
  while (at < pattern.length) {
    const char = pattern.charAt(at);
    if (char === QUOTE) {
      const { text, end } = quotedAt(pattern, at);
      addText(text);
      at = end;
    } else if (/[a-zA-Z]/.test(char)) {
      let count = 1;
      while (pattern.charAt(at + count) === char) count += 1;
      elements.push(letterElement(char, count));
      at += count;
    } else {
      addText(char);
      at += 1;
    }
  }
  return elements;
}

/** Explains why texts cannot be read by a pattern; `undefined` where they can. */
export function unparsableReason(elements: readonly DateElement[]): string | undefined {
  for (const element of elements) {
    if ('letter' in element && NOT_PARSED.includes(element.letter)) {
      return `the letter ${element.letter} (${DATE_LETTERS[element.letter]}) is supported in texts that are written, not in those that are read`;
    }
  }
  return undefined;
}

function letterElement(letter: string, count: number): DateElement {
  if (!Object.hasOwn(DATE_LETTERS, letter)) {
    const allowed = Object.keys(DATE_LETTERS).join(', ');
    throw new SyntaxError(`Illegal pattern character '${letter}'; allowed are ${allowed}, and any text in single quotes`);
  }
  if (letter === 'X' && count > 3) throw new SyntaxError(`invalid ISO 8601 format: X is given ${count} times; allowed are 1 to 3`);
  return { letter, count };
}

/** Reads a quoted text; two quotes stand for one, inside and outside. */
function quotedAt(pattern: string, start: number): { readonly text: string; readonly end: number } {
  if (pattern.charAt(start + 1) === QUOTE) return { text: QUOTE, end: start + 2 };
  let text = '';
  for (let at = start + 1; at < pattern.length; at += 1) {
    if (pattern.charAt(at) !== QUOTE) text += pattern.charAt(at);
    else if (pattern.charAt(at + 1) === QUOTE) {
      text += QUOTE;
      at += 1;
    } else return { text, end: at + 1 };
  }
  throw new SyntaxError('Unterminated quote; write two quotes for the character');
}
