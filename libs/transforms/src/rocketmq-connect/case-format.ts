/** The ways to write names of several words, as Guava's CaseFormat has them. */
export const CASE_FORMATS = ['LOWER_HYPHEN', 'LOWER_UNDERSCORE', 'LOWER_CAMEL', 'UPPER_CAMEL', 'UPPER_UNDERSCORE'] as const;
export type CaseFormat = (typeof CASE_FORMATS)[number];

/** Writes a name that is in one format in another; one in the same format stays as it is. */
export function changeCase(name: string, from: CaseFormat, to: CaseFormat): string {
  if (from === to) return name;
  const words = wordsOf(name, from);
  switch (to) {
    case 'LOWER_HYPHEN':
      return words.map(lower).join('-');
    case 'LOWER_UNDERSCORE':
      return words.map(lower).join('_');
    case 'UPPER_UNDERSCORE':
      return words.map(upper).join('_');
    case 'UPPER_CAMEL':
      return words.map(capitalized).join('');
    case 'LOWER_CAMEL':
      return words.map((word, n) => (n === 0 ? lower(word) : capitalized(word))).join('');
    default:
      return to satisfies never;
  }
}

function wordsOf(name: string, from: CaseFormat): readonly string[] {
  switch (from) {
    case 'LOWER_HYPHEN':
      return name.split('-');
    case 'LOWER_UNDERSCORE':
    case 'UPPER_UNDERSCORE':
      return name.split('_');
    case 'LOWER_CAMEL':
    case 'UPPER_CAMEL':
      return name.split(/(?<=[^])(?=[A-Z])/);
    default:
      return from satisfies never;
  }
}

/** Guava changes the case of ASCII letters alone. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function upper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

function capitalized(word: string): string {
  return upper(word.slice(0, 1)) + lower(word.slice(1));
}
