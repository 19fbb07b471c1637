import { errorTrace } from '../task/error-text.js';

/** The most that a span shows of an error, in characters. */
const MAX_NAME = 200;
const MAX_MESSAGE = 1000;
const MAX_STACK = 4000;
/** The longest secret that is found where a text is cut before it is searched, in characters. */
const MARGIN = 4096;

/** What spans show of an error: without secrets, and cut. */
export interface ShownError {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
}

/** Makes what spans show of errors: once for each object, however many records it concerns. */
export class ShownErrors {
  readonly #shown = new WeakMap<object, { readonly raw: unknown; readonly shown: ShownError }>();

  /** @param hide takes secrets out of a text */
  constructor(private readonly hide: (text: string) => string) {}

  /** Returns what spans show of what was thrown, which may be anything. Never throws. */
  of(error: unknown): ShownError {
    if (typeof error !== 'object' || error === null) return this.#made(error);
    const raw = rawMessageOf(error);
    const known = this.#shown.get(error);
    // Whoever throws the same object again may have written another text into it.
    if (known !== undefined && known.raw === raw) return known.shown;
    const shown = this.#made(error);
    this.#shown.set(error, { raw, shown });
    return shown;
  }

  /** Returns a name as spans show it. */
  nameOf(name: string): string {
    return this.#cut(name, MAX_NAME);
  }

  #made(error: unknown): ShownError {
    try {
      // Of whoever throws in JavaScript, not even these need be texts.
      const { name, message: given }: { readonly name: unknown; readonly message: unknown } =
        error instanceof Error ? error : { name: typeof error, message: error };
      const [type, message] = [String(name), String(given)];
      return { type: this.nameOf(type), message: this.#cut(message, MAX_MESSAGE), stack: this.#cut(errorTrace(error), MAX_STACK) };
    } catch {
      return { type: typeof error, message: 'The error cannot be read', stack: '' };
    }
  }

  /** Cuts a long text before it is searched, which takes time. Its end is not shown: a part of a secret may be there. */
  #cut(text: string, max: number): string {
    if (text.length > max + MARGIN)
      return `${this.hide(text.slice(0, max + MARGIN))
        .slice(0, -MARGIN)
        .slice(0, max)}...`;
    const hidden = this.hide(text);
    return hidden.length > max ? `${hidden.slice(0, max)}...` : hidden;
  }
}

function rawMessageOf(error: object): unknown {
  try {
    return error instanceof Error ? error.message : undefined;
  } catch {
    return undefined;
  }
}
