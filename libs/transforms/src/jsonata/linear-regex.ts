import { RE2JS } from 're2js';

const FLAGS: Readonly<Record<string, number>> = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE };

/**
 * Matches in time that is proportional to the text, whatever the pattern. JavaScript's own expressions may take longer than any limit, and nothing
 * can end them. This one has what JSONata needs of a `RegExp`.
 */
export class LinearRegex {
  lastIndex = 0;
  readonly #regex: RE2JS;

  /** @throws Error for lookarounds and backreferences, which take more time */
  constructor({ source, flags }: RegExp) {
    const bits = Array.from(flags, (flag) => FLAGS[flag] ?? 0).reduce((all, flag) => all | flag, 0);
    this.#regex = RE2JS.compile(source, bits);
  }

  /** Finds the next match from `lastIndex`, and moves that behind it. */
  exec(text: string): (readonly (string | null)[] & { readonly index: number }) | null {
    const matcher = this.#regex.matcher(text);
    if (!matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    this.lastIndex = matcher.end();
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, n) => matcher.group(n));
    return Object.assign(groups, { index: matcher.start() });
  }
}
