import {
  type ConnectValue,
  Decimal,
  JsonNumber,
  LogicalType,
  logicalTypeOf,
  scaleOf,
  scalarOf,
  type Schema,
  SchemaType,
} from '@sluice/sdk';
import { kindOf } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { narrowed, toFloat32 } from '../java/java-numbers.js';

const EPOCH = new Date(0);
const BITS = { int8: 8, int16: 16, int32: 32 } as const;

/** Finds what takes the place of a value. */
export class Mask {
  readonly #number: Decimal | undefined;

  /** @param replacement what takes the place of texts and numbers; without one a zero or an empty value of the same type */
  constructor(private readonly replacement: string | undefined) {
    this.#number = replacement === undefined ? new Decimal(0n, 0) : decimalOf(replacement);
  }

  /** Returns what takes the place of a value; null stays null. @throws ConnectError for a type that cannot be masked, or not so */
  masked(value: ConnectValue, schema: Schema | undefined): ConnectValue {
    if (value === null) return null;
    const type = schema?.type;
    if (type === SchemaType.array || Array.isArray(value)) return this.#empty('array', []);
    if (type === SchemaType.map || (schema === undefined && kindOf(value) === 'map')) {
      return this.#empty('map', value instanceof Map ? new Map<ConnectValue, ConnectValue>() : {});
    }
    if (type === SchemaType.struct || value instanceof Map) throw refused(kindOf(value, schema));
    const given = schema === undefined ? value : scalarOf(schema, value, 'value');
    if (typeof given === 'string') return this.replacement ?? '';
    if (typeof given === 'boolean') return this.#empty('boolean', false);
    if (given instanceof Date) return this.#empty('date', EPOCH);
    if (given instanceof Uint8Array) throw refused('bytes');
    return schema === undefined ? this.#plainNumber(given) : this.#typedNumber(schema);
  }

  #empty(kind: string, value: ConnectValue): ConnectValue {
    if (this.replacement === undefined) return value;
    throw unfit(`Cannot mask value of type ${kind} with custom replacement.`);
  }

  #typedNumber(schema: Schema): ConnectValue {
    const number = this.#requireNumber();
    const { type } = schema;
    if (type === SchemaType.int8 || type === SchemaType.int16 || type === SchemaType.int32) return Number(narrowed(number, BITS[type]));
    if (type === SchemaType.int64) return narrowed(number, 64);
    if (type === SchemaType.float32) return toFloat32(Number(number));
    if (type === SchemaType.float64) return Number(number);
    if (logicalTypeOf(schema.name) !== LogicalType.decimal) throw refused(type);
    return number.withScale(scaleOf(schema) ?? 0);
  }

  /** A number without a schema stays whole if it was; one of JSON with digits of its own is a double, as in Java. */
  #plainNumber(given: ConnectValue): ConnectValue {
    const number = this.#requireNumber();
    if (given instanceof Decimal) return number;
    if (typeof given === 'bigint' || Number.isSafeInteger(given)) {
      const whole = narrowed(number, 64);
      return BigInt.asIntN(53, whole) === whole ? Number(whole) : whole;
    }
    if (typeof given === 'number' || given instanceof JsonNumber) return Number(number);
    throw refused(kindOf(given));
  }

  #requireNumber(): Decimal {
    if (this.#number !== undefined) return this.#number;
    throw unfit('Unable to convert the replacement to a number, which the field holds');
  }
}

/** Reads a number as Java's BigDecimal does, which allows a point at the beginning or the end. */
function decimalOf(text: string): Decimal | undefined {
  const plain = text.replace(/^([+-]?)\.(?=\d)/, '$10.').replace(/(?<=\d)\.(?=$|[eE])/, '');
  try {
    return Decimal.parse(plain);
  } catch {
    return undefined;
  }
}

function refused(kind: string): Error {
  return unfit(`Cannot mask value of type: ${kind}`);
}
