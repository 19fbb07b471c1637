import { isUtf8 } from 'node:buffer';
import {
  type ConnectValue,
  type Converter,
  Decimal,
  isConnectArray,
  isConnectObject,
  JsonNumber,
  parseLiteral,
  type Schema,
  type SchemaAndValue,
  schemas,
  SchemaType,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { hasHalfSurrogate } from './text-encoding.js';

const NAME = 'SimpleHeaderConverter';
const DAY_MS = 86_400_000;
/** Java writes a floating-point number outside of these with an exponent. */
const [MIN_PLAIN, MAX_PLAIN] = [1e-3, 1e7];
const MAX_FLOAT_DIGITS = 9;

/**
 * Texts without a schema, which is guessed again by the text, see `parseLiteral`. Writes the texts that Kafka Connect's SimpleHeaderConverter
 * writes, except dates before 1970: there it leaves out the day.
 */
export class SimpleHeaderConverter implements Converter {
  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    if (value === null) return null;
    try {
      const text = literalText(value, schema, false);
      if (hasHalfSurrogate(text)) throw new TypeError('The text has half a surrogate pair, which UTF-8 cannot hold');
      return Buffer.from(text, 'utf8');
    } catch (error) {
      throw new ConversionError(NAME, (error as Error).message, error);
    }
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null };
    return isUtf8(bytes) ? parseLiteral(bytes.toString('utf8')) : { value: bytes, schema: schemas.bytes };
  }
}

function literalText(value: ConnectValue | undefined, schema: Schema | undefined, isInside: boolean): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return isInside ? quoted(value) : value;
  if (typeof value === 'number') return numberText(value, schema);
  if (typeof value !== 'object' || value instanceof Decimal || value instanceof JsonNumber) return value.toString();
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return isInside ? quoted(text) : text;
  }
  if (value instanceof Date) return dateText(value);
  if (isConnectArray(value)) return `[${value.map((item) => literalText(item, schema?.valueSchema, true)).join()}]`;
  if (schema?.type === SchemaType.struct && isConnectObject(value)) {
    const parts = (schema.fields ?? []).map(({ name, schema: fieldSchema }) => {
      const item = Object.hasOwn(value, name) ? value[name] : undefined;
      return `${quoted(name)}:${literalText(item ?? fieldSchema.default, fieldSchema, true)}`;
    });
    return `{${parts.join()}}`;
  }
  const entries = value instanceof Map ? [...(value as ReadonlyMap<ConnectValue, ConnectValue>)] : Object.entries(value);
  const parts = entries.map(
    ([key, item]) => `${literalText(key, schema?.keySchema, true)}:${literalText(item as ConnectValue, schema?.valueSchema, true)}`,
  );
  return `{${parts.join()}}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Writes a floating-point number as Java does, `1.0` and `1.0E10`; a number without a schema that is whole has its digits alone. */
function numberText(value: number, schema: Schema | undefined): string {
  const isFloat = schema?.type === SchemaType.float32;
  if (!isFloat && schema?.type !== SchemaType.float64 && Number.isInteger(value)) return BigInt(value).toString();
  if (!Number.isFinite(value) || value === 0) return Object.is(value, -0) ? '-0.0' : value === 0 ? '0.0' : String(value);
  const [digits = '', exponent = '0'] = (isFloat ? shortestFloat(value) : value.toExponential()).split('e');
  const size = Math.abs(value);
  if (size < MIN_PLAIN || size >= MAX_PLAIN) return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
  const plain = new Decimal(BigInt(digits.replace('.', '')), (digits.split('.')[1]?.length ?? 0) - Number(exponent));
  return plain.scale <= 0 ? plain.withScale(1).toString() : plain.toString();
}

/** Returns the fewest digits that mean the same float. */
function shortestFloat(value: number): string {
  const float = Math.fround(value);
  for (let digits = 0; digits < MAX_FLOAT_DIGITS - 1; digits += 1) {
    const text = float.toExponential(digits);
    if (Math.fround(Number(text)) === float) return text;
  }
  return float.toExponential(MAX_FLOAT_DIGITS - 1);
}

function dateText(date: Date): string {
  const ms = date.getTime();
  const text = date.toISOString();
  if (ms >= 0 && ms < DAY_MS) return text.slice(text.indexOf('T') + 1);
  return ms % DAY_MS === 0 ? text.slice(0, text.indexOf('T')) : text;
}
