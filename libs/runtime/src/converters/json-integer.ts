import { SchemaType } from '@sluice/sdk';

export type IntegerType = 'int8' | 'int16' | 'int32' | 'int64';

const bits: Readonly<Record<IntegerType, number>> = {
  [SchemaType.int8]: 8,
  [SchemaType.int16]: 16,
  [SchemaType.int32]: 32,
  [SchemaType.int64]: 64,
};

export function isIntegerType(type: SchemaType): type is IntegerType {
  return Object.hasOwn(bits, type);
}

/** Returns true for whole numbers that fit into the type. */
export function isInteger(value: unknown, type: IntegerType): value is number | bigint {
  if (typeof value === 'bigint') return BigInt.asIntN(bits[type], value) === value;
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  const limit = 2 ** (bits[type] - 1);
  return value >= -limit && value < limit;
}

/** Writes all digits of a whole number, never an exponent. */
export function integerText(value: number | bigint): string {
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}
