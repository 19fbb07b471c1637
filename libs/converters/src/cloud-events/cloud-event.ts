import { type ConnectValue, isConnectObject, type Schema, SchemaType } from '@sluice/sdk';

/** The name of the schema that an event with a schema has. */
export const EVENT_NAME = 'io.cloudevents.CloudEvent';
export const SPEC_VERSION = '1.0';
export const DATA = 'data';
export const DATA_BASE64 = 'data_base64';
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const OPTIONAL = ['datacontenttype', 'dataschema', 'subject', 'time'] as const;
const TEXTS: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL]);
const NAME = /^[a-z0-9]+$/;
const MAX_INTEGER = 2 ** 31;

export type Attribute = string | number | boolean;
export type Attributes = ReadonlyMap<string, Attribute>;

/** Returns whether a value is an event, so that its attributes stay what they are. */
export function isEvent(value: ConnectValue, schema: Schema | undefined): boolean {
  if (schema !== undefined) return schema.type === SchemaType.struct && schema.name === EVENT_NAME;
  return isConnectObject(value) && value['specversion'] === SPEC_VERSION && REQUIRED.every((name) => isText(value[name]));
}

/**
 * Returns the attributes of an event, in the form of the specification of CloudEvents 1.0: everything but the data. A null is none.
 * @throws TypeError for an attribute that the specification does not allow
 */
export function attributesOf(event: Readonly<Record<string, ConnectValue | undefined>>): Attributes {
  const attributes = new Map<string, Attribute>();
  for (const name of REQUIRED) {
    const value = event[name];
    if (!isText(value)) throw new TypeError(`The event has no text in ${name}, which CloudEvents requires`);
    attributes.set(name, value);
  }
  if (attributes.get('specversion') !== SPEC_VERSION) throw new TypeError(`The event is not of specversion ${SPEC_VERSION}`);
  for (const name of [...OPTIONAL, ...Object.keys(event)]) {
    const value = event[name];
    if (name === DATA || name === DATA_BASE64 || value === null || value === undefined || attributes.has(name)) continue;
    attributes.set(name, attributeOf(name, value));
  }
  return attributes;
}

function attributeOf(name: string, value: ConnectValue): Attribute {
  if (!NAME.test(name)) throw new TypeError(`The attribute ${JSON.stringify(name)} is not of lower-case letters and digits alone`);
  if (TEXTS.has(name)) {
    if (isText(value)) return value;
    throw new TypeError(`The attribute ${name} is no text, or an empty one`);
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= -MAX_INTEGER && number < MAX_INTEGER) return number;
  throw new TypeError(`The attribute ${name} is no text, boolean or whole number of 32 bits`);
}

/** Makes schemas of events that have a schema for their data, one for each set of attributes. */
export class EventSchemas {
  readonly #byData = new WeakMap<Schema, Map<string, Schema>>();

  /** @param maxShapes how many sets of attributes are kept for one schema of data */
  constructor(private readonly maxShapes: number) {}

  of(attributes: Attributes, data: Schema): Schema {
    const extensions = [...attributes].filter(([name]) => !TEXTS.has(name));
    const key = JSON.stringify(extensions.map(([name, value]) => [name, typeof value]));
    const byShape = this.#byData.get(data) ?? new Map<string, Schema>();
    this.#byData.set(data, byShape);
    const known = byShape.get(key);
    if (known !== undefined) return known;
    const schema: Schema = {
      type: SchemaType.struct,
      name: EVENT_NAME,
      fields: [
        ...REQUIRED.map((name) => ({ name, schema: { type: SchemaType.string } })),
        ...OPTIONAL.map((name) => ({ name, schema: { type: SchemaType.string, optional: true } })),
        ...extensions.map(([name, value]) => ({ name, schema: { type: typeOf(value), optional: true } })),
        { name: DATA, schema: data },
      ],
    };
    if (byShape.size >= this.maxShapes) byShape.clear();
    byShape.set(key, schema);
    return schema;
  }
}

function typeOf(value: Attribute): SchemaType {
  if (typeof value === 'string') return SchemaType.string;
  return typeof value === 'boolean' ? SchemaType.boolean : SchemaType.int32;
}

function isText(value: ConnectValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
