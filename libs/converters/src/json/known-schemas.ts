import type { Schema } from '@sluice/sdk';

const BEFORE_PAYLOAD = ',"payload":';
/** The text of a longer schema is not kept. */
const MAX_TEXT_LENGTH = 65_536;

/**
 * Keeps the schemas of envelopes by their text, so that readers parse a schema once and get the same object for each record. The ones that
 * were used longest ago give way.
 */
export class KnownSchemas {
  /** By the text of an envelope up to its payload; the last used one stands last. */
  readonly #schemas = new Map<string, Schema>();

  /** @param size how many are kept; 0 for none */
  constructor(private readonly size: number) {}

  /** Returns the schema of an envelope that was seen before, and the text of what may be its payload. */
  of(envelope: string): { readonly schema: Schema; readonly payload: string } | undefined {
    const start = this.#startOf(envelope);
    const schema = start === undefined ? undefined : this.#schemas.get(start);
    if (start === undefined || schema === undefined || !envelope.endsWith('}')) return undefined;
    this.#keep(start, schema);
    return { schema, payload: envelope.slice(start.length, -1) };
  }

  /** Notes the schema of an envelope that was read as a whole. */
  note(envelope: string, schema: Schema): void {
    const start = this.#startOf(envelope);
    if (start === undefined || !isWholeSchema(start)) return;
    this.#keep(start, schema);
    const [oldest] = this.#schemas.keys();
    if (this.#schemas.size > this.size && oldest !== undefined) this.#schemas.delete(oldest);
  }

  #keep(start: string, schema: Schema): void {
    this.#schemas.delete(start);
    this.#schemas.set(start, schema);
  }

  #startOf(envelope: string): string | undefined {
    if (this.size === 0) return undefined;
    const at = envelope.indexOf(BEFORE_PAYLOAD);
    return at < 0 || at > MAX_TEXT_LENGTH ? undefined : envelope.slice(0, at + BEFORE_PAYLOAD.length);
  }
}

/** A schema may have the same characters in it: then what stands before them is no JSON. */
function isWholeSchema(start: string): boolean {
  try {
    const parsed = JSON.parse(`${start}0}`) as object;
    return Object.keys(parsed).join() === 'schema,payload';
  } catch {
    return false;
  }
}
