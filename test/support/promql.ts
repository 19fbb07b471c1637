/** The part of PromQL that alert rules and dashboards here are written in. Whatever is not in it is refused by name. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'selector';
      readonly name: string;
      readonly matchers: readonly Matcher[];
      readonly rangeMs?: number;
      readonly offsetMs?: number;
    }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] }
  | { readonly kind: 'aggregation'; readonly name: AggregationName; readonly by: readonly string[]; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression };

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

const FUNCTIONS = ['rate', 'increase', 'deriv', 'min_over_time', 'histogram_quantile'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];
const AGGREGATIONS = ['sum', 'max', 'min'] as const;
export type AggregationName = (typeof AGGREGATIONS)[number];
export type Operator = '<' | '>' | '==' | 'and' | 'unless' | 'or';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const TOKEN = /\s*(\[\d+[smh]\]|\d+[smh](?!\w)|\d+(?:\.\d+)?(?![\w.])|[a-zA-Z_:][\w:]*|"(?:[^"\\]|\\.)*"|=~|!~|!=|==|[<>(){},=])/y;

/** Reads an expression. Throws an Error that names what is none of the subset. */
export function parsePromQl(text: string): Expression {
  const tokens = tokensOf(text);
  const parser = new Parser(tokens, text);
  const expression = parser.expression();
  parser.end();
  return expression;
}

/** All selectors in an expression. */
export function selectorsIn(expression: Expression): readonly (Expression & { readonly kind: 'selector' })[] {
  switch (expression.kind) {
    case 'number':
      return [];
    case 'selector':
      return [expression];
    case 'call':
      return expression.args.flatMap(selectorsIn);
    case 'aggregation':
      return selectorsIn(expression.of);
    case 'binary':
      return [...selectorsIn(expression.left), ...selectorsIn(expression.right)];
  }
}

/** The labels that aggregations name, each with the selectors that have to have it. */
export function groupingsIn(expression: Expression): readonly { readonly by: readonly string[]; readonly of: Expression }[] {
  switch (expression.kind) {
    case 'number':
    case 'selector':
      return [];
    case 'call':
      return expression.args.flatMap(groupingsIn);
    case 'aggregation':
      return [expression, ...groupingsIn(expression.of)];
    case 'binary':
      return [...groupingsIn(expression.left), ...groupingsIn(expression.right)];
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const at = TOKEN.lastIndex;
    const [, token] = TOKEN.exec(text) ?? [];
    if (token === undefined) throw new Error(`PromQL that nobody here reads, at "${text.slice(at).trim()}" in: ${text}`);
    tokens.push(token);
  }
  return tokens;
}

class Parser {
  #at = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly text: string,
  ) {}

  /** `or` binds weaker than `and` and `unless`, and these bind weaker than comparisons. */
  expression(): Expression {
    return this.#joined(['or'], () => this.#joined(['and', 'unless'], () => this.#comparison()));
  }

  end(): void {
    if (this.#peek !== undefined) this.#refuse(this.#peek);
  }

  #joined(operators: readonly ('and' | 'unless' | 'or')[], operand: () => Expression): Expression {
    let left = operand();
    for (;;) {
      const operator = this.#peek;
      if (operator === undefined || !isOneOf(operators, operator)) return left;
      this.#at++;
      left = { kind: 'binary', operator, left, right: operand() };
    }
  }

  #comparison(): Expression {
    const left = this.#operand();
    const operator = this.#peek;
    if (operator !== '<' && operator !== '>' && operator !== '==') return left;
    this.#at++;
    const right = this.#operand();
    if (right.kind !== 'number') this.#refuse(`a comparison with something else than a number, after ${operator}`);
    return { kind: 'binary', operator, left, right };
  }

  #operand(): Expression {
    const token = this.#next();
    if (token === '(') {
      const inner = this.expression();
      this.#expect(')');
      return inner;
    }
    if (/^[\d.]+$/.test(token)) return { kind: 'number', value: Number(token) };
    if (!/^[a-zA-Z_:]/.test(token)) return this.#refuse(token);
    if (isOneOf(AGGREGATIONS, token)) return this.#aggregation(token);
    if (this.#peek === '(') return this.#call(token);
    return this.#selector(token);
  }

  #aggregation(name: AggregationName): Expression {
    const by = this.#peek === 'by' ? this.#by() : [];
    this.#expect('(');
    const of = this.expression();
    this.#expect(')');
    return { kind: 'aggregation', name, by, of };
  }

  #by(): readonly string[] {
    this.#expect('by');
    this.#expect('(');
    const labels = [this.#next()];
    while (this.#peek === ',') {
      this.#at++;
      labels.push(this.#next());
    }
    this.#expect(')');
    return labels;
  }

  #call(name: string): Expression {
    if (!isOneOf(FUNCTIONS, name)) return this.#refuse(`function ${name}`);
    this.#expect('(');
    const args = [this.expression()];
    while (this.#peek === ',') {
      this.#at++;
      args.push(this.expression());
    }
    this.#expect(')');
    return { kind: 'call', name, args };
  }

  #selector(name: string): Expression {
    const matchers = this.#peek === '{' ? this.#matchers() : [];
    const range = /^\[(\d+)([smh])\]$/.exec(this.#peek ?? '');
    if (range === null) return { kind: 'selector', name, matchers, ...this.#offset() };
    this.#at++;
    return { kind: 'selector', name, matchers, rangeMs: Number(range[1]) * (UNITS_MS[range[2] ?? ''] ?? NaN) };
  }

  #offset(): { readonly offsetMs?: number } {
    if (this.#peek !== 'offset') return {};
    this.#at++;
    const token = this.#next();
    const [, count, unit] = /^(\d+)([smh])$/.exec(token) ?? this.#refuse(`an offset of ${token}`);
    return { offsetMs: Number(count) * (UNITS_MS[unit ?? ''] ?? NaN) };
  }

  #matchers(): readonly Matcher[] {
    const matchers: Matcher[] = [];
    this.#expect('{');
    for (;;) {
      const label = this.#next();
      const operator = this.#next();
      if (operator !== '=' && operator !== '!=' && operator !== '=~' && operator !== '!~') this.#refuse(operator);
      matchers.push({ label, operator, value: JSON.parse(this.#next()) as string });
      if (this.#peek !== ',') break;
      this.#at++;
    }
    this.#expect('}');
    return matchers;
  }

  get #peek(): string | undefined {
    return this.tokens[this.#at];
  }

  #next(): string {
    const token = this.#peek;
    if (token === undefined) return this.#refuse('its end');
    this.#at++;
    return token;
  }

  #expect(token: string): void {
    const found = this.#next();
    if (found !== token) this.#refuse(`${found}, where ${token} belongs`);
  }

  #refuse(what: string): never {
    throw new Error(`PromQL that nobody here reads: ${what}, in: ${this.text}`);
  }
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}
