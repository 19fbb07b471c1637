import { setImmediate } from 'node:timers/promises';
import { ConnectError } from '@sluice/sdk';
import jsonata from 'jsonata';
import { unfit } from '../fields/transform-error.js';
import { LinearRegex } from './linear-regex.js';
import { clonePlain, PlainBudget, tooLong } from './plain-values.js';

/** Calls inside of each other that an expression may make, and items that it may make of a range. */
const MAX_DEPTH = 500;
const MAX_ITEMS = 1_000_000;
/** The code that JSONata has for an evaluation that took too long. */
const TIMEOUT_CODE = 'D1012';

/** How long evaluations run before others get their turn: heartbeats, and what aborts a preparation. */
const TURN_MS = 10;

interface JsonataProblem {
  readonly code?: string;
  readonly position?: number;
  readonly message?: string;
  readonly value?: unknown;
}

/** An expression of JSONata whose evaluation ends in time. */
export class JsonataExpression {
  readonly #expression: jsonata.Expression;

  /** @throws SyntaxError naming the place of what cannot be read */
  constructor(
    text: string,
    private readonly timeoutMs: number,
  ) {
    try {
      // What JSONata takes of a RegExp, a LinearRegex has.
      const RegexEngine = LinearRegex as unknown as RegExpConstructor;
      this.#expression = jsonata(text, { timeout: timeoutMs, stack: MAX_DEPTH, sequence: MAX_ITEMS, RegexEngine });
      this.#expression.registerFunction('clone', (value: unknown) => clonePlain(value, new PlainBudget(timeoutMs)), '<(oa)-:o>');
      requireRegexes(this.#expression.ast());
    } catch (error) {
      throw new SyntaxError(describe(error as JsonataProblem), { cause: error });
    }
  }

  /**
   * Resolves with what `make` makes of what the expression gives for an input; it is `undefined` where that is nothing.
   *
   * Evaluations of a thread run one at a time, so that none is charged for the time of another. Rejects with a ConnectError where it fails or takes
   * too long. The message holds nothing of the input.
   *
   * @param make throws for a result that does not fit; its time belongs to the evaluation
   */
  async evaluate<T>(input: unknown, bindings: Record<string, unknown>, make: (result: unknown, budget: PlainBudget) => T): Promise<T> {
    return inTurn(async () => {
      const budget = new PlainBudget(this.timeoutMs);
      return make(await this.#evaluated(input, bindings), budget);
    });
  }

  async #evaluated(input: unknown, bindings: Record<string, unknown>): Promise<unknown> {
    try {
      return (await this.#expression.evaluate(input, bindings)) as unknown;
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      const problem = error as JsonataProblem;
      if (problem.code === TIMEOUT_CODE) throw tooLong(this.timeoutMs);
      throw unfit(`the expression failed: ${describe(problem, quoted(problem))}`);
    }
  }
}

let lastTurn: Promise<void> = Promise.resolve();
let turnAt = 0;

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const before = lastTurn;
  let end = (): void => undefined;
  lastTurn = new Promise((resolve) => {
    end = resolve;
  });
  await before;
  try {
    if (performance.now() - turnAt > TURN_MS) {
      await setImmediate();
      turnAt = performance.now();
    }
    return await work();
  } finally {
    end();
  }
}

/** Compiles every regular expression, so that one which cannot be honoured is refused before the first record. */
function requireRegexes(node: unknown, level = 0): void {
  if (typeof node !== 'object' || node === null || level > MAX_DEPTH) return;
  if (node instanceof RegExp) {
    new LinearRegex(node);
    return;
  }
  for (const part of Object.values(node)) requireRegexes(part, level + 1);
}

/** @param hidden what the message must not hold */
function describe({ code, position, message = 'unknown' }: JsonataProblem, hidden = ''): string {
  const text = hidden === '' ? message : message.replaceAll(hidden, '…');
  const place = position === undefined ? '' : ` at position ${position}`;
  return `${text}${place}${code === undefined ? '' : ` (${code})`}`;
}

/** Returns the value that did not fit as JSONata's messages quote it. */
function quoted({ value }: JsonataProblem): string {
  try {
    return value === undefined ? '' : JSON.stringify(value);
  } catch {
    return '';
  }
}
