import type { Schema } from '@sluice/sdk';
import { unfit } from './transform-error.js';

/**
 * Remembers what a transform made for each schema. Records share schemas, so that each has one result, which lives as long as the schema does.
 */
export class SchemaCache<T> {
  readonly #results = new WeakMap<Schema, T>();
  #lastSchema: Schema | undefined;
  #lastResult: T | undefined;

  constructor(private readonly make: (schema: Schema) => T) {}

  /** @throws what `make` throws, which is not remembered */
  of(schema: Schema): T {
    if (schema === this.#lastSchema && this.#lastResult !== undefined) return this.#lastResult;
    let result = this.#results.get(schema);
    if (result === undefined) {
      result = this.make(schema);
      this.#results.set(schema, result);
    }
    this.#lastSchema = schema;
    this.#lastResult = result;
    return result;
  }
}

type SchemaBasics = Pick<Schema, 'name' | 'version' | 'doc' | 'parameters'>;

/** Returns what a changed schema keeps of the one that it comes from: name, version, doc and parameters. */
export function schemaBasics({ name, version, doc, parameters }: Schema): SchemaBasics {
  return {
    ...(name === undefined ? undefined : { name }),
    ...(version === undefined ? undefined : { version }),
    ...(doc === undefined ? undefined : { doc }),
    ...(parameters === undefined ? undefined : { parameters }),
  };
}

/** @throws ConnectError naming what two fields of a schema would be called */
export function requireUniqueNames(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw unfit(`Cannot create field because of field name duplication ${twice}`);
}
