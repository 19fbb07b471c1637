import { isJsonObject, type JsonValue, nearestName } from '@sluice/sdk';
import { shown } from './quantities.js';
import { SchemaProblem } from './schema-problem.js';

/** One object of a schema. It notes what was taken, so that nothing in it is left over without an error. */
export class Part {
  readonly #path: string;
  readonly #given: { readonly [name: string]: JsonValue };
  readonly #taken = new Set<string>();

  /** @throws {SchemaProblem} if it is no object */
  constructor(path: string, given: JsonValue | undefined) {
    if (!isJsonObject(given)) throw new SchemaProblem(path, shown(given), 'allowed is a JSON object');
    this.#path = path;
    this.#given = given;
  }

  get path(): string {
    return this.#path;
  }

  /** Returns where a property of this part is. */
  at(name: string): string {
    return `${this.#path}.${name}`;
  }

  problem(name: string, given: string, allowed: string): SchemaProblem {
    return new SchemaProblem(this.at(name), given, allowed);
  }

  take(name: string): JsonValue | undefined {
    this.#taken.add(name);
    return Object.hasOwn(this.#given, name) ? this.#given[name] : undefined;
  }

  takeText(name: string): string | undefined {
    const given = this.take(name);
    if (given === undefined || (typeof given === 'string' && given !== '')) return given;
    throw this.problem(name, shown(given), 'allowed is a text with characters');
  }

  /** @param names the properties that it may have */
  takeObject(name: string, names: readonly string[]): { readonly [name: string]: JsonValue } | undefined {
    const given = this.take(name);
    if (given === undefined) return undefined;
    if (!isJsonObject(given)) throw this.problem(name, shown(given), `allowed is an object with ${names.join(', ')}`);
    const unknown = Object.keys(given).find((key) => !names.includes(key));
    if (unknown === undefined) return given;
    throw this.problem(`${name}.${unknown}`, shown(given[unknown]), `allowed are ${names.join(', ')}`);
  }

  /** @throws {SchemaProblem} for the first property that nobody took */
  requireNoMore(): void {
    const unknown = Object.keys(this.#given).find((name) => !this.#taken.has(name));
    if (unknown === undefined) return;
    const names = [...this.#taken];
    const nearest = nearestName(unknown, new Set(names));
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw this.problem(unknown, shown(this.#given[unknown]), `allowed here are ${names.join(', ')}${hint}`);
  }
}
