/** The line terminators of Java, which differ from those of JavaScript by the next-line character. */
export const LINE_ENDS = '\\n\\r\\x85\\u2028\\u2029';

/** What the predefined classes of Java hold, as content of a class of JavaScript; Java's are ASCII unless said otherwise. */
export const PREDEFINED: Readonly<Record<string, string>> = {
  d: '0-9',
  w: 'a-zA-Z_0-9',
  s: ' \\t\\n\\x0B\\f\\r',
  h: ' \\t\\xA0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000',
  v: `\\n\\x0B\\f\\r\\x85\\u2028\\u2029`,
};

const PUNCTUATION = '\\x21-\\x2F\\x3A-\\x40\\x5B-\\x60\\x7B-\\x7E';

/** The POSIX classes of Java, for ASCII alone. */
const POSIX: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7F',
  Alpha: 'a-zA-Z',
  Digit: '0-9',
  Alnum: 'a-zA-Z0-9',
  Punct: PUNCTUATION,
  Graph: `a-zA-Z0-9${PUNCTUATION}`,
  Print: `a-zA-Z0-9${PUNCTUATION}\\x20`,
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1F\\x7F',
  XDigit: '0-9a-fA-F',
  Space: ' \\t\\n\\x0B\\f\\r',
};

/** Java's binary properties behind `Is`, by their lower-case names, as JavaScript has them. */
const BINARY: Readonly<Record<string, string>> = {
  alphabetic: 'Alphabetic',
  ideographic: 'Ideographic',
  lowercase: 'Lowercase',
  uppercase: 'Uppercase',
  titlecase: 'Lt',
  punctuation: 'P',
  control: 'Cc',
  white_space: 'White_Space',
  whitespace: 'White_Space',
  digit: 'Nd',
  hex_digit: 'Hex_Digit',
  letter: 'L',
  emoji: 'Emoji',
};

const CATEGORY = /^(?:L[CulmtoC]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?)$/;

/**
 * Returns the content of a class for a property such as `Lu`, `Alpha` or `IsLatin`; `undefined` for one that JavaScript has not.
 *
 * @param ignoresCase whether case is ignored, where Java's `Lower` and `Upper` hold both cases
 */
export function propertyClass(name: string, ignoresCase: boolean): string | undefined {
  const isCase = /^(?:Lower|Upper|L[ult]|IsLowercase|IsUppercase|javaLowerCase|javaUpperCase)$/.test(name);
  if (ignoresCase && isCase) return name === 'Lower' || name === 'Upper' ? POSIX['Alpha'] : '\\p{Lu}\\p{Ll}\\p{Lt}';
  if (Object.hasOwn(POSIX, name)) return POSIX[name];
  if (CATEGORY.test(name)) return `\\p{${name}}`;
  if (name === 'javaLowerCase') return '\\p{Lowercase}';
  if (name === 'javaUpperCase') return '\\p{Uppercase}';
  const [, property, value] = /^(script|sc|general_category|gc)=(\w+)$/i.exec(name) ?? [];
  if (property !== undefined && value !== undefined)
    return known(property.startsWith('g') || property.startsWith('G') ? value : script(value));
  if (!name.startsWith('Is')) return undefined;
  const bare = name.slice(2);
  const binary = BINARY[bare.toLowerCase()];
  if (binary !== undefined) return `\\p{${binary}}`;
  return CATEGORY.test(bare) ? `\\p{${bare}}` : known(script(bare));
}

/** Java takes names of scripts in any case, JavaScript as Unicode writes them. */
function script(name: string): string {
  const written = name.toLowerCase().replace(/(^|_)[a-z]/g, (letter) => letter.toUpperCase());
  return `Script=${written}`;
}

function known(property: string): string | undefined {
  const content = `\\p{${property}}`;
  try {
    new RegExp(content, 'v');
    return content;
  } catch {
    return undefined;
  }
}
