import { RetriableError } from '@sluice/sdk';
import { LimitedCache } from './limited-cache.js';
import { RegistryClient } from './registry-client.js';
import type { RegistrySettings } from './registry-settings.js';

const MAX_REFERENCES = 100;

/** A schema as the registry has it. */
export interface RegisteredSchema {
  readonly id: number;
  readonly schemaType: string;
  readonly schema: string;
  /** The texts of the schemas that it refers to, each behind those that it needs itself. */
  readonly references: readonly ReferencedSchema[];
}

export interface ReferencedSchema {
  readonly name: string;
  readonly schema: string;
}

interface Answer {
  readonly id?: number;
  readonly schema?: string;
  readonly schemaType?: string;
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[];
}

/** The questions that converters ask a schema registry, and the answers, which never change for an id. */
export class SchemaRegistry {
  readonly #client: RegistryClient;
  readonly #settings: RegistrySettings;
  /** By subject, type and text. */
  readonly #ids: LimitedCache<string, number>;
  /** By subject and the text of the schema that asked. */
  readonly #latest: LimitedCache<string, RegisteredSchema>;

  /** @throws ConfigError */
  constructor(settings: RegistrySettings) {
    this.#client = new RegistryClient(settings);
    this.#settings = settings;
    this.#ids = new LimitedCache(settings['max.schemas.per.subject']);
    this.#latest = new LimitedCache(settings['max.schemas.per.subject']);
  }

  /** Returns the id of a schema: registers it, or looks it up where `auto.register.schemas` is false. Errors are those of `RegistryClient`. */
  async idOf(subject: string, schemaType: string, schema: string, signal: AbortSignal): Promise<number> {
    const key = JSON.stringify([subject, schemaType, schema]);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const path = `/subjects/${encodeURIComponent(subject)}${this.#settings['auto.register.schemas'] ? '/versions' : ''}`;
    const query = this.#settings['normalize.schemas'] ? '?normalize=true' : '';
    // Avro is what a schema is that has no type, also for registries that know no types.
    const body = schemaType === 'AVRO' ? { schema } : { schema, schemaType };
    const { id } = (await this.#client.post(path + query, body, signal)) as Answer;
    if (typeof id !== 'number') throw new RetriableError('The schema registry answered without an id');
    this.#ids.set(key, id);
    return id;
  }

  /** Returns the latest schema of a subject, which is asked once for each schema of records. */
  async latest(subject: string, schema: string, signal: AbortSignal): Promise<RegisteredSchema> {
    const key = JSON.stringify([subject, schema]);
    const known = this.#latest.get(key);
    if (known !== undefined) return known;
    const answer = (await this.#client.get(`/subjects/${encodeURIComponent(subject)}/versions/latest`, signal)) as Answer;
    const latest = await this.#registered(answer, answer.id ?? NaN, signal);
    this.#latest.set(key, latest);
    return latest;
  }

  /** Returns the schema of an id. */
  async byId(id: number, signal: AbortSignal): Promise<RegisteredSchema> {
    return this.#registered((await this.#client.get(`/schemas/ids/${id}`, signal)) as Answer, id, signal);
  }

  async #registered({ schema, schemaType = 'AVRO', references = [] }: Answer, id: number, signal: AbortSignal): Promise<RegisteredSchema> {
    if (typeof schema !== 'string' || !Number.isInteger(id)) throw new RetriableError('The schema registry answered without a schema');
    const found = new Map<string, ReferencedSchema>();
    await this.#collect(references, found, signal);
    return { id, schemaType, schema, references: [...found.values()] };
  }

  async #collect(references: NonNullable<Answer['references']>, found: Map<string, ReferencedSchema>, signal: AbortSignal): Promise<void> {
    for (const { name, subject, version } of references) {
      if (found.has(name)) continue;
      if (found.size >= MAX_REFERENCES) throw new TypeError(`The schema refers to more than ${MAX_REFERENCES} others`);
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      const answer = (await this.#client.get(path, signal)) as Answer;
      if (typeof answer.schema !== 'string') throw new RetriableError(`The schema registry answered without the schema ${name}`);
      // Its place is behind those that it needs; a circle ends at one that is there.
      found.set(name, { name, schema: answer.schema });
      await this.#collect(answer.references ?? [], found, signal);
      found.delete(name);
      found.set(name, { name, schema: answer.schema });
    }
  }
}
