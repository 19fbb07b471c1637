import { isUtf8 } from 'node:buffer';
import { Ajv, type Options } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type ConnectValue, type JsonValue, parseJson, plainJson, type Schema, type SchemaAndValue } from '@sluice/sdk';
import { decimalFormatOf } from '../json/json-writer.js';
import type { FormatReader, FormatWriter, SchemaFormat } from '../registry/registry-converter.js';
import type { RegisteredSchema } from '../registry/schema-registry.js';
import { type Fits, JsonSchemaDecoder } from './json-schema-decoding.js';
import { JsonSchemaEncoder, JsonSchemaWriter } from './json-schema-encoding.js';
import type { JsonSchemaObject, JsonSchemaSettings } from './json-schema-names.js';
import { linearPattern } from './linear-pattern.js';

const OPTIONS: Options = { strict: false, validateFormats: false, allErrors: false, logger: false, code: { regExp: linearPattern } };

/** Throws where a JSON text does not fit; the error names the place, and no value. */
type Check = (text: string) => void;

/** JSON with schemas as Confluent's JsonSchemaConverter makes them. */
export class JsonSchemaFormat implements SchemaFormat {
  readonly schemaType = 'JSON';
  readonly #writer: JsonSchemaWriter;
  readonly #encoder: JsonSchemaEncoder;

  constructor(private readonly settings: JsonSchemaSettings) {
    const decimalFormat = decimalFormatOf(settings['decimal.format']);
    this.#writer = new JsonSchemaWriter({ decimalFormat, replacesNullWithDefault: true });
    this.#encoder = new JsonSchemaEncoder(settings, this.#writer);
  }

  writerOf(schema: Schema): FormatWriter {
    const text = plainJson(this.#encoder.encode(schema) as unknown as ConnectValue);
    const own = this.settings['json.fail.invalid.schema'] ? checkOf({ schema: text, references: [] }) : undefined;
    return {
      text,
      recordName: schema.name,
      write: (value) => this.#bytes(value, schema, own),
      by: (latest, isStrict) => {
        const check = isStrict || own !== undefined ? checkOf(latest) : undefined;
        return { write: (value) => this.#bytes(value, schema, check) };
      },
    };
  }

  readerOf(registered: RegisteredSchema): FormatReader {
    const root = parsed(registered.schema);
    const references = new Map(registered.references.map(({ name, schema }) => [name, parsed(schema)]));
    const check = this.settings['json.fail.invalid.schema'] ? checkOf(registered) : undefined;
    const decoder = new JsonSchemaDecoder(this.settings, root, references, (part, document) => fitsOf(part, document, registered));
    const schema = decoder.schema();
    return {
      read: (payload): SchemaAndValue => {
        if (!isUtf8(payload)) throw new TypeError('The bytes are not UTF-8');
        const text = payload.toString('utf8');
        check?.(text);
        return { value: decoder.read(parseJson(text), schema), schema };
      },
    };
  }

  #bytes(value: ConnectValue, schema: Schema, check: Check | undefined): Buffer {
    const text = this.#writer.write(value, schema, 'value');
    check?.(text);
    return Buffer.from(text, 'utf8');
  }
}

function checkOf(registered: Pick<RegisteredSchema, 'schema' | 'references'>): Check {
  const root = JSON.parse(registered.schema) as JsonSchemaObject;
  const validate = compiled(root, root, registered);
  return (text) => {
    if (validate(JSON.parse(text))) return;
    const [first] = validate.errors ?? [];
    throw new TypeError(`The value does not fit the JSON Schema at ${first?.instancePath ?? ''}/: ${first?.message ?? 'it is invalid'}`);
  };
}

function fitsOf(part: JsonSchemaObject, root: JsonSchemaObject, registered: RegisteredSchema): Fits {
  const validate = compiled(part, root, registered);
  return (json) => validate(plain(json)) === true;
}

/** Compiles a part of a schema, whose references point into the whole. */
function compiled(
  part: JsonSchemaObject,
  root: JsonSchemaObject,
  { references }: Pick<RegisteredSchema, 'references'>,
): ReturnType<Ajv['compile']> {
  const dialect = typeof root['$schema'] === 'string' ? root['$schema'] : '';
  if (/draft-0[346]/.test(dialect)) throw new TypeError(`${dialect} is not supported; allowed are draft-07, 2019-09 and 2020-12`);
  const ajv = dialect.includes('2020-12') ? new Ajv2020(OPTIONS) : dialect.includes('2019-09') ? new Ajv2019(OPTIONS) : new Ajv(OPTIONS);
  try {
    for (const { name, schema } of references) ajv.addSchema(JSON.parse(schema) as JsonSchemaObject, name);
    const { definitions, $defs } = root;
    return ajv.compile({ ...(definitions === undefined ? {} : { definitions }), ...($defs === undefined ? {} : { $defs }), ...part });
  } catch (error) {
    throw new TypeError(`The JSON Schema is not usable: ${(error as Error).message}`, { cause: error });
  }
}

function parsed(text: string): JsonSchemaObject {
  const json = parseJson(text);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as unknown as JsonSchemaObject;
  throw new TypeError('Unsupported schema: it is no object');
}

/** The library knows numbers alone; digits that they lose decide nothing about a branch. */
function plain(json: JsonValue): unknown {
  return JSON.parse(plainJson(json)) as unknown;
}
