import { type ConnectValue, isConnectArray, JsonNumber, type JsonValue, scalarOf, type Schema, schemas } from '@sluice/sdk';
import type { Part } from './part.js';
import { decimalQuantity, QUANTITIES, type Quantity, shown } from './quantities.js';
import { type Draw, drawBetween, drawShare, type ValueMaker } from './value-maker.js';

const MAX_OPTIONS = 10_000;
const SCALAR_BYTES = 24;
/** Of strings and bytes that name no length. */
const USUAL_LENGTH = [8, 16] as const;
const MAX_LENGTH = 1_000_000;
const PLACEHOLDER = '{}';
const CHARACTERS = 'abcdefghijklmnopqrstuvwxyz012345';

/** Returns what makes the values of a type that has no parts; `undefined` for any other type. */
export function scalarMaker(type: string, part: Part): ValueMaker | undefined {
  switch (type) {
    case 'boolean':
      return (
        optionsOf(schemas.boolean, part) ?? {
          schema: schemas.boolean,
          maxBytes: SCALAR_BYTES,
          make: ({ random }) => random.next() % 2 === 1,
        }
      );
    case 'float32':
    case 'float64':
      return optionsOf(schemas[type], part) ?? floatMaker(type, part);
    case 'string':
      return optionsOf(schemas.string, part) ?? stringMaker(part);
    case 'bytes':
      return optionsOf(schemas.bytes, part) ?? bytesMaker(part);
    case 'decimal':
      return quantityMaker(decimalQuantity(scaleOf(part), part.at('scale')), part);
    default: {
      const quantity = QUANTITIES[type];
      return quantity === undefined ? undefined : quantityMaker(quantity, part);
    }
  }
}

/** Kafka Connect's form has the scale among the parameters. */
function scaleOf(part: Part): JsonValue | undefined {
  return part.take('scale') ?? part.takeObject('parameters', ['scale'])?.['scale'];
}

function quantityMaker(quantity: Quantity, part: Part): ValueMaker {
  const { schema, toValue } = quantity;
  const options = part.take('options');
  if (options !== undefined) {
    const values = itemsOf(options, part).map((item, n) => toValue(unitsAt(quantity, item, part, `options[${n}]`)));
    return oneOf(schema, values);
  }
  const units = unitsMaker(quantity, part);
  return { schema, maxBytes: SCALAR_BYTES, make: (draw) => toValue(units(draw)) };
}

/** Reads a range or a sequence; neither means the usual range of the type. */
function unitsMaker(quantity: Quantity, part: Part): (draw: Draw) => number {
  const range = part.take('range');
  const sequence = part.takeObject('sequence', ['start', 'step', 'restart']);
  if (sequence === undefined) {
    const [min, max] = range === undefined ? quantity.usual : boundsOf(range, part, (item, where) => unitsAt(quantity, item, part, where));
    if (!Number.isSafeInteger(max - min + 1)) throw part.problem('range', shown(range), 'its ends are at most 2^53 steps from each other');
    return (draw) => drawBetween(min, max, draw);
  }
  if (range !== undefined) throw part.problem('range', 'a range beside a sequence', 'a field has one of them');
  const start = unitsAt(quantity, sequence['start'] ?? Math.max(0, quantity.limits[0]), part, 'sequence.start');
  const step = stepOf(sequence['step'], quantity, part);
  const end = step > 0 ? quantity.limits[1] : quantity.limits[0];
  const room = Math.floor((end - start) / step) + 1;
  const restart = restartOf(sequence['restart'], room, part);
  return ({ index }) => start + step * (index % restart);
}

/** A step is a number of the type, but for times, where it is days or milliseconds. */
function stepOf(given: JsonValue | undefined, quantity: Quantity, part: Part): number {
  const step = given === undefined ? 1 : typeof given === 'string' ? undefined : quantity.unitsOf(given);
  if (step !== undefined && step !== 0) return step;
  throw part.problem(
    'sequence.step',
    shown(given),
    'allowed are numbers of the type but 0; of a date days, of a time or timestamp milliseconds',
  );
}

function restartOf(given: JsonValue | undefined, room: number, part: Part): number {
  if (given === undefined) return room;
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 1 && given <= room) return given;
  throw part.problem(
    'sequence.restart',
    shown(given),
    `allowed are whole numbers of records from 1 to ${room}, the most that the type holds`,
  );
}

function unitsAt({ limits: [min, max], unitsOf, allowed }: Quantity, given: JsonValue, part: Part, where: string): number {
  const units = unitsOf(given);
  if (units !== undefined && Number.isSafeInteger(units) && units >= min && units <= max) return units;
  throw part.problem(where, shown(given), `allowed is ${allowed}, within what the type holds`);
}

function floatMaker(type: 'float32' | 'float64', part: Part): ValueMaker {
  const schema = schemas[type];
  const numberAt = (given: JsonValue, where: string): number => {
    const number = typeof given === 'number' || given instanceof JsonNumber ? Number(given) : NaN;
    if (Number.isFinite(number) && (type === 'float64' || Number.isFinite(Math.fround(number)))) return number;
    throw part.problem(where, shown(given), `allowed are numbers of ${type}`);
  };
  const rounded = type === 'float32' ? Math.fround : (value: number): number => value;
  const range = part.take('range');
  const sequence = part.takeObject('sequence', ['start', 'step', 'restart']);
  if (sequence === undefined) {
    const [min, max] = range === undefined ? [0, 1] : boundsOf(range, part, numberAt);
    return { schema, maxBytes: SCALAR_BYTES, make: (draw) => rounded(min + drawShare(draw) * (max - min)) };
  }
  if (range !== undefined) throw part.problem('range', 'a range beside a sequence', 'a field has one of them');
  const start = numberAt(sequence['start'] ?? 0, 'sequence.start');
  const step = numberAt(sequence['step'] ?? 1, 'sequence.step');
  const restart = restartOf(sequence['restart'], Number.MAX_SAFE_INTEGER, part);
  return { schema, maxBytes: SCALAR_BYTES, make: ({ index }) => rounded(start + step * (index % restart)) };
}

function stringMaker(part: Part): ValueMaker {
  const schema = schemas.string;
  const format = part.take('format');
  if (format === undefined) {
    const [min, max] = lengthOf(part, USUAL_LENGTH, MAX_LENGTH);
    return { schema, maxBytes: max, make: (draw) => randomText(drawBetween(min, max, draw), draw) };
  }
  const [before, after, ...more] = typeof format === 'string' ? format.split(PLACEHOLDER) : [];
  if (before === undefined || after === undefined || more.length > 0) {
    throw part.problem('format', shown(format), `allowed is a text with one ${PLACEHOLDER}, the place of the number`);
  }
  const units = unitsMaker({ ...(QUANTITIES['int64'] as Quantity), usual: [1, 1000] }, part);
  return { schema, maxBytes: before.length + after.length + SCALAR_BYTES, make: (draw) => `${before}${units(draw)}${after}` };
}

function randomText(length: number, { random }: Draw): string {
  let text = '';
  while (text.length < length) {
    let bits = random.next();
    for (let n = 0; n < 6 && text.length < length; n += 1, bits >>>= 5) text += CHARACTERS.charAt(bits & 31);
  }
  return text;
}

function bytesMaker(part: Part): ValueMaker {
  const [min, max] = lengthOf(part, USUAL_LENGTH, MAX_LENGTH);
  return {
    schema: schemas.bytes,
    maxBytes: max,
    make: (draw) => {
      const bytes = Buffer.allocUnsafe(drawBetween(min, max, draw));
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = draw.random.next() >>> 24;
      return bytes;
    },
  };
}

/** Reads a length: one number, or the least and the greatest. */
export function lengthOf(part: Part, usual: readonly [number, number], limit: number): readonly [min: number, max: number] {
  const given = part.take('length');
  if (given === undefined) return usual;
  const lengthAt = (item: JsonValue, where: string): number => {
    if (typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= limit) return item;
    throw part.problem(where, shown(item), `allowed are whole numbers from 0 to ${limit}`);
  };
  if (!Array.isArray(given)) return [lengthAt(given, 'length'), lengthAt(given, 'length')];
  return boundsOf(given, part, lengthAt, 'length');
}

function boundsOf(
  given: JsonValue,
  part: Part,
  read: (item: JsonValue, where: string) => number,
  name = 'range',
): readonly [min: number, max: number] {
  const [first, second, ...more] = Array.isArray(given) ? (given as readonly JsonValue[]) : [];
  if (first === undefined || second === undefined || more.length > 0) {
    throw part.problem(name, shown(given), 'allowed is [least, greatest]');
  }
  const [min, max] = [read(first, `${name}[0]`), read(second, `${name}[1]`)];
  if (min <= max) return [min, max];
  throw part.problem(name, shown(given), 'the least must not be above the greatest');
}

/** Reads the options of a type whose values JSON has; bytes are base64. */
function optionsOf(schema: Schema, part: Part): ValueMaker | undefined {
  const options = part.take('options');
  if (options === undefined) return undefined;
  return oneOf(
    schema,
    itemsOf(options, part).map((item, n) => {
      const value = schema === schemas.bytes && typeof item === 'string' ? Buffer.from(item, 'base64') : (item as ConnectValue);
      try {
        return scalarOf(schema, value, '');
      } catch {
        const allowed = schema === schemas.bytes ? 'texts in base64' : `values of ${schema.type}`;
        throw part.problem(`options[${n}]`, shown(item), `allowed are ${allowed}`);
      }
    }),
  );
}

function itemsOf(options: JsonValue, part: Part): readonly JsonValue[] {
  if (isConnectArray(options) && options.length > 0 && options.length <= MAX_OPTIONS) return options;
  throw part.problem('options', shown(options), `allowed are lists of 1 to ${MAX_OPTIONS} values`);
}

function oneOf(schema: Schema, values: readonly ConnectValue[]): ValueMaker {
  const maxBytes = Math.max(
    ...values.map((value) => (typeof value === 'string' || value instanceof Uint8Array ? value.length : SCALAR_BYTES)),
  );
  return { schema, maxBytes, make: (draw) => values[draw.random.next() % values.length] ?? null };
}
