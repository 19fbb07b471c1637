import { type ConnectValue, type Converter, scalarOf, type Schema, type SchemaAndValue, SchemaType } from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';

/** A number in a fixed count of bytes, in big-endian order as Kafka's serializers write it. */
export interface NumberFormat {
  /** Of the converter, for example `IntegerConverter`. */
  readonly name: string;
  /** What Kafka Connect calls the type in errors. */
  readonly noun: string;
  readonly type: SchemaType;
  readonly size: number;
  readonly write: (bytes: Buffer, value: number | bigint) => void;
  readonly read: (bytes: Buffer) => number | bigint;
}

export const NUMBER_FORMATS = {
  short: {
    name: 'ShortConverter',
    noun: 'short',
    type: SchemaType.int16,
    size: 2,
    write: (bytes, value) => bytes.writeInt16BE(Number(value)),
    read: (bytes) => bytes.readInt16BE(),
  },
  integer: {
    name: 'IntegerConverter',
    noun: 'integer',
    type: SchemaType.int32,
    size: 4,
    write: (bytes, value) => bytes.writeInt32BE(Number(value)),
    read: (bytes) => bytes.readInt32BE(),
  },
  long: {
    name: 'LongConverter',
    noun: 'long',
    type: SchemaType.int64,
    size: 8,
    write: (bytes, value) => bytes.writeBigInt64BE(BigInt(value)),
    read: (bytes) => bytes.readBigInt64BE(),
  },
  float: {
    name: 'FloatConverter',
    noun: 'float',
    type: SchemaType.float32,
    size: 4,
    write: (bytes, value) => bytes.writeFloatBE(Number(value)),
    read: (bytes) => bytes.readFloatBE(),
  },
  double: {
    name: 'DoubleConverter',
    noun: 'double',
    type: SchemaType.float64,
    size: 8,
    write: (bytes, value) => bytes.writeDoubleBE(Number(value)),
    read: (bytes) => bytes.readDoubleBE(),
  },
} as const satisfies Readonly<Record<string, NumberFormat>>;

/** Numbers of one type. A value without a schema must be exact in it. */
export class NumberConverter implements Converter {
  readonly #plain: Schema;
  readonly #optional: Schema;

  constructor(private readonly format: NumberFormat) {
    this.#plain = Object.freeze({ type: format.type });
    this.#optional = Object.freeze({ type: format.type, optional: true });
  }

  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    const { name, noun, size, type } = this.format;
    if (value === null) return null;
    if (schema !== undefined && schema.type !== type) {
      throw new ConversionError(name, `Failed to serialize to ${noun} (was ${schema.type.toUpperCase()})`);
    }
    const number = this.#numberOf(value);
    if (schema === undefined && type === SchemaType.float32 && !Object.is(Math.fround(Number(number)), number)) {
      throw new ConversionError(
        name,
        `Failed to serialize to ${noun}: ${number} has more digits; give it a schema, or take DoubleConverter`,
      );
    }
    const bytes = Buffer.allocUnsafe(size);
    this.format.write(bytes, number);
    return bytes;
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null, schema: this.#optional };
    const { name, noun, size } = this.format;
    if (bytes.length === size) return { value: this.format.read(bytes), schema: this.#optional };
    throw new ConversionError(name, `Failed to deserialize ${noun}: ${bytes.length} bytes given; it has ${size}`);
  }

  #numberOf(value: ConnectValue): number | bigint {
    try {
      return scalarOf(this.#plain, value, 'the value') as number | bigint;
    } catch (error) {
      const { name, noun } = this.format;
      throw new ConversionError(name, `Failed to serialize to ${noun}: ${(error as Error).message}`, error);
    }
  }
}
