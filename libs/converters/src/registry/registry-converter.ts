import {
  ConfigError,
  type ConnectValue,
  type Converter,
  type IncomingBytes,
  type OutgoingValue,
  type RecordPart,
  requireSchema,
  type Schema,
  type SchemaAndValue,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { PreparedCache } from './prepared-cache.js';
import { RegistryRefusal } from './registry-client.js';
import type { RegistrySettings } from './registry-settings.js';
import { type RegisteredSchema, SchemaRegistry } from './schema-registry.js';
import { SUBJECT_STRATEGIES } from './subject-name.js';
import { PREFIX_BYTES, schemaIdOf, withSchemaId } from './wire-format.js';

/** Writes values of one schema. */
export interface FormatWriter {
  /** The schema, as the registry gets it. */
  readonly text: string;
  /** What a subject may be named by. */
  readonly recordName: string | undefined;
  write(value: ConnectValue): Uint8Array;
  /**
   * Returns what writes the same values by another schema.
   *
   * @param isStrict whether that schema must be able to read what this one describes
   * @throws TypeError where it cannot
   */
  by(latest: RegisteredSchema, isStrict: boolean): Pick<FormatWriter, 'write'>;
}

/** Reads values of one registered schema, which may describe values of several kinds. */
export interface FormatReader {
  read(payload: Buffer): SchemaAndValue;
}

/** A format of values whose schemas are in a registry. Its methods throw errors that say what is wrong with a schema or value. */
export interface SchemaFormat {
  /** Its name in the registry, for example `AVRO`. */
  readonly schemaType: string;
  writerOf(schema: Schema): FormatWriter;
  readerOf(registered: RegisteredSchema): FormatReader;
}

export interface RegistryConverterOptions {
  /** Of the converter, for errors. */
  readonly name: string;
  readonly part: RecordPart;
  readonly settings: RegistrySettings;
  /** Loads the libraries of the format, once something is converted. */
  readonly load: () => Promise<SchemaFormat>;
}

type Prepared<T> = { readonly ready: T } | { readonly error: ConversionError };
/** What the registry refused in one batch, by subject and text of the schema. */
type Refusals = Map<string, TypeError>;
type Writer = Pick<FormatWriter, 'write'> & { readonly id: number };

const MAX_TOPICS_PER_SCHEMA = 10_000;

/**
 * Writes each value behind the id that its schema has in a registry, and reads it by that schema. Asks the registry before records are
 * converted, once for each schema. What the registry says about one schema is an error of its records.
 */
export class RegistryConverter implements Converter {
  readonly #registry: SchemaRegistry;
  readonly #part: 'key' | 'value';
  /** By schema, then by topic. */
  readonly #writers = new WeakMap<Schema, PreparedCache<string, Prepared<Writer>>>();
  /** By id. */
  readonly #readers: PreparedCache<number, Prepared<FormatReader>>;
  #format: Promise<SchemaFormat> | undefined;

  /** @throws ConfigError */
  constructor(private readonly options: RegistryConverterOptions) {
    const { part, name } = options;
    if (part === 'header') {
      const message = `${name} converts keys and values; headers are texts.`;
      throw new ConfigError('The choice of converters', [{ field: 'header.converter', message }]);
    }
    this.#part = part;
    this.#registry = new SchemaRegistry(options.settings);
    this.#readers = new PreparedCache(options.settings['max.schemas.per.subject']);
  }

  async prepareToBytes(values: readonly OutgoingValue[], signal: AbortSignal): Promise<void> {
    // What the registry refused is asked for again with the next batch.
    const refusals: Refusals = new Map();
    const needed = new Map<Schema, Map<string, Prepared<Writer>>>();
    for (const { value, schema, topic } of values) {
      if (value === null || schema === undefined) continue;
      const byTopic = needed.get(schema) ?? new Map<string, Prepared<Writer>>();
      needed.set(schema, byTopic);
      if (byTopic.has(topic)) continue;
      const known = this.#writers.get(schema)?.get(topic);
      const isReady = known !== undefined && 'ready' in known;
      byTopic.set(topic, isReady ? known : await this.#outcome(() => this.#writerOf(schema, topic, refusals, signal)));
    }
    for (const [schema, byTopic] of needed) {
      const kept = this.#writers.get(schema) ?? new PreparedCache<string, Prepared<Writer>>(MAX_TOPICS_PER_SCHEMA);
      this.#writers.set(schema, kept);
      kept.keep(byTopic);
    }
  }

  toBytes(value: ConnectValue, schema: Schema | undefined, topic: string): Uint8Array | null {
    if (value === null) return null;
    const { name } = this.options;
    if (schema === undefined) throw new ConversionError(name, 'The value has no schema; one is needed');
    const { id, write } = this.#ready(this.#writers.get(schema)?.get(topic), 'The schema');
    return withSchemaId(
      id,
      this.#converting(() => write(value)),
    );
  }

  async prepareFromBytes(messages: readonly IncomingBytes[], signal: AbortSignal): Promise<void> {
    const ids = new Set<number>();
    for (const { bytes } of messages) {
      if (bytes === null) continue;
      try {
        ids.add(schemaIdOf(bytes));
      } catch {
        // It fails where it is converted.
      }
    }
    const needed = new Map<number, Prepared<FormatReader>>();
    for (const id of ids) {
      const known = this.#readers.get(id);
      const isReady = known !== undefined && 'ready' in known;
      needed.set(id, isReady ? known : await this.#outcome(() => this.#readerOf(id, signal)));
    }
    this.#readers.keep(needed);
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null };
    const id = this.#converting(() => schemaIdOf(bytes));
    const reader = this.#ready(this.#readers.get(id), `The schema ${id}`);
    return this.#converting(() => reader.read(bytes.subarray(PREFIX_BYTES)));
  }

  async #writerOf(schema: Schema, topic: string, refusals: Refusals, signal: AbortSignal): Promise<Writer> {
    const { settings } = this.options;
    const format = await this.#loaded();
    const writer = ofSchema(() => {
      requireSchema(schema);
      return format.writerOf(schema);
    });
    const strategy = settings[`${this.#part}.subject.name.strategy`];
    const namer = SUBJECT_STRATEGIES[strategy];
    if (namer === undefined) throw new TypeError(`There is no strategy ${strategy}`);
    const subject = namer(topic, this.#part, writer.recordName);
    const key = JSON.stringify([subject, writer.text]);
    const refused = refusals.get(key);
    if (refused !== undefined) throw refused;
    try {
      if (settings['use.latest.version']) {
        const latest = await this.#registry.latest(subject, writer.text, signal);
        this.#requireType(latest, format);
        const { write } = ofSchema(() => writer.by(latest, settings['latest.compatibility.strict']));
        return { id: latest.id, write };
      }
      const id = await this.#registry.idOf(subject, format.schemaType, writer.text, signal);
      return { id, write: (value) => writer.write(value) };
    } catch (error) {
      if (error instanceof RegistryRefusal) {
        const refusal = new TypeError(refusalText(subject, error), { cause: error });
        refusals.set(key, refusal);
        throw refusal;
      }
      if (error instanceof TypeError) throw new TypeError(`Subject ${subject}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  async #readerOf(id: number, signal: AbortSignal): Promise<FormatReader> {
    const format = await this.#loaded();
    try {
      const registered = await this.#registry.byId(id, signal);
      this.#requireType(registered, format);
      return ofSchema(() => format.readerOf(registered));
    } catch (error) {
      if (!(error instanceof RegistryRefusal || error instanceof TypeError)) throw error;
      throw new TypeError(`The schema ${id}: ${error.message}`, { cause: error });
    }
  }

  #requireType({ schemaType }: RegisteredSchema, format: SchemaFormat): void {
    if (schemaType !== format.schemaType)
      throw new TypeError(`it is of type ${schemaType}; ${this.options.name} converts ${format.schemaType}`);
  }

  #loaded(): Promise<SchemaFormat> {
    return (this.#format ??= this.options.load());
  }

  /** Keeps what is wrong with one schema for its records; what is wrong with the registry or the settings is thrown. */
  async #outcome<T>(prepare: () => Promise<T>): Promise<Prepared<T>> {
    try {
      return { ready: await prepare() };
    } catch (error) {
      if (error instanceof TypeError) return { error: new ConversionError(this.options.name, error.message, error) };
      throw error;
    }
  }

  #ready<T>(prepared: Prepared<T> | undefined, what: string): T {
    if (prepared === undefined) throw new ConversionError(this.options.name, `${what} was not asked for before`);
    if ('error' in prepared) throw prepared.error;
    return prepared.ready;
  }

  #converting<T>(convert: () => T): T {
    try {
      return convert();
    } catch (error) {
      throw new ConversionError(this.options.name, (error as Error).message, error);
    }
  }
}

/** Nothing is asked for here, so any error is the schema's: too many levels are a RangeError. */
function ofSchema<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof TypeError ? error : new TypeError((error as Error).message, { cause: error });
  }
}

function refusalText(subject: string, { status, message }: RegistryRefusal): string {
  if (status === 409) return `The schema is incompatible with an earlier one of subject ${subject}: ${message}`;
  if (status === 404) return `The schema is not registered under subject ${subject}: ${message}`;
  return `The registry refused the schema of subject ${subject} (${status}): ${message}`;
}
