import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';

/** The largest scale, and the smallest with a minus: a number such as `1e1000000000` must not fill the memory of whoever writes it out. */
const MAX_SCALE = 100_000;
const GRAMMAR = /^([+-]?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?$/;
const TEXT_IN_ERRORS = 60;
/** From this exponent on downwards a decimal is written in scientific notation, as Java's BigDecimal is. */
const SMALLEST_PLAIN_EXPONENT = -6;

/**
 * A decimal number with all its digits: `unscaled / 10 ** scale`. It never changes. `1.5` and `1.50` are equal numbers with different scales.
 *
 * A `JsonNumber` is the text of a number in JSON, and has no schema. `Decimal.parse(jsonNumber.text)` makes a decimal of it.
 */
export class Decimal {
  /** @throws ConnectError when the scale is no whole number from -100,000 to 100,000 */
  constructor(
    readonly unscaled: bigint,
    readonly scale: number,
  ) {
    if (Number.isInteger(scale) && Math.abs(scale) <= MAX_SCALE) return;
    throw invalid(`${scale} given as the scale of a decimal; allowed are whole numbers from -${MAX_SCALE} to ${MAX_SCALE}`);
  }

  /**
   * Reads digits such as `-12.50` or `1e3`. The scale is the number of digits after the point.
   * @throws ConnectError when the text is no decimal number
   */
  static parse(text: string): Decimal {
    const [, whole, fraction = '', exponent = '0'] = GRAMMAR.exec(text) ?? [];
    if (whole !== undefined) return new Decimal(BigInt(whole + fraction), fraction.length - Number(exponent));
    throw invalid(`${JSON.stringify(text.slice(0, TEXT_IN_ERRORS))} is no decimal number; allowed are digits such as -12.50 or 1e3`);
  }

  /**
   * Reads the unscaled value from two's complement in big-endian order, the form that Kafka Connect and Avro have.
   * @throws ConnectError when there is no byte
   */
  static fromBytes(bytes: Uint8Array, scale: number): Decimal {
    if (bytes.length === 0) throw invalid('no bytes given for a decimal; at least one is needed');
    const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
    return new Decimal(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`)), scale);
  }

  /** Returns the unscaled value in two's complement, in big-endian order, in as few bytes as possible. */
  toBytes(): Uint8Array {
    const { unscaled } = this;
    const hexOfBits = (unscaled < 0n ? -unscaled - 1n : unscaled).toString(16);
    const bits = (hexOfBits.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hexOfBits.charAt(0), 16)));
    const length = Math.floor(bits / 8) + 1;
    return Buffer.from(
      BigInt.asUintN(length * 8, unscaled)
        .toString(16)
        .padStart(length * 2, '0'),
      'hex',
    );
  }

  /**
   * Returns the same number with another scale.
   * @throws ConnectError when that would lose digits
   */
  withScale(scale: number): Decimal {
    if (scale === this.scale) return this;
    if (scale > this.scale) return new Decimal(this.unscaled * 10n ** BigInt(scale - this.scale), scale);
    const divisor = 10n ** BigInt(this.scale - scale);
    if (this.unscaled % divisor === 0n) return new Decimal(this.unscaled / divisor, scale);
    throw invalid(`a decimal with ${this.scale} digits after the point given; the scale ${scale} would lose some`);
  }

  /** Returns a negative number, zero or a positive number, as the number is smaller than the other one, equal or greater. */
  compare(other: Decimal): number {
    const scale = Math.max(this.scale, other.scale);
    const [own, others] = [this.withScale(scale).unscaled, other.withScale(scale).unscaled];
    return own < others ? -1 : own > others ? 1 : 0;
  }

  /** Returns the nearest double. */
  valueOf(): number {
    return Number(this.toString());
  }

  /** Returns all digits, a number of JSON. Very small numbers and negative scales have an exponent, as in Java's BigDecimal. */
  toString(): string {
    const sign = this.unscaled < 0n ? '-' : '';
    const digits = (this.unscaled < 0n ? -this.unscaled : this.unscaled).toString();
    const { scale } = this;
    if (scale === 0) return sign + digits;
    const exponent = digits.length - 1 - scale;
    if (scale > 0 && exponent >= SMALLEST_PLAIN_EXPONENT) {
      const padded = digits.padStart(scale + 1, '0');
      return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
    }
    const mantissa = digits.length === 1 ? digits : `${digits.charAt(0)}.${digits.slice(1)}`;
    return `${sign}${mantissa}E${exponent < 0 ? '' : '+'}${exponent}`;
  }
}

function invalid(reason: string): ConnectError {
  return new ConnectError(ConnectErrorCode.recordInvalid, reason);
}
