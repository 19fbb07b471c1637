import { ConnectError, ConnectErrorCode, type PositionValue } from '@sluice/sdk';

/** What partitions and positions are, in memory. */
type PositionFields = Readonly<Record<string, PositionValue>>;

/** The only field of the object that stands for a bigint in JSON; its value is the number's digits. */
const BIGINT_FIELD = '#bigint';
const bigintMark = `"${BIGINT_FIELD}"`;
const [SPACE, QUOTE, BACKSLASH, TILDE] = [0x20, 0x22, 0x5c, 0x7e];
const DIGITS = /^-?\d+$/;
/** In a stamp this is a quarter of what all properties of a message may take. */
const MAX_BYTES = 8_192;
const ALLOWED = 'text, booleans, null, finite numbers (whole ones beyond 2^53 as bigint), bigints, lists and plain objects of these';

/**
 * Writes a partition or position as canonical JSON: sorted keys and no white space, so that equal ones give equal texts.
 *
 * @throws ConnectError for what would not come back as it is; names the field and the value.
 */
export function positionJson(fields: PositionFields): string {
  const text = objectText(fields, '');
  if (text.length * 3 > MAX_BYTES && Buffer.byteLength(text) > MAX_BYTES) {
    const size = String(Buffer.byteLength(text));
    throw invalid(`It takes ${size} bytes as JSON; allowed are ${MAX_BYTES}`);
  }
  return text;
}

/** Reads what {@link positionJson} wrote. @throws SyntaxError */
export function parsePositionJson(text: string): unknown {
  const value = JSON.parse(text) as unknown;
  return text.includes(bigintMark) ? withBigints(value) : value;
}

/** For `JSON.stringify`: writes bigints as {@link withBigints} reads them. */
export function bigintAsObject(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { [BIGINT_FIELD]: value.toString() } : value;
}

/** Puts bigints in the places of the objects that stand for them. What holds none is returned itself. */
export function withBigints<T>(value: T): T {
  return revive(value) as T;
}

/** Describes a partition or position for people. Never fails, whatever a connector gave. */
export function describePosition(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => (typeof field === 'bigint' ? `${field.toString()}n` : field));
}

function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = value.map(revive);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === BIGINT_FIELD && typeof first[1] === 'string' && DIGITS.test(first[1])) {
    return BigInt(first[1]);
  }
  const revived = entries.map(([key, field]) => [key, revive(field)] as const);
  return revived.some(([, field], index) => field !== entries[index]?.[1]) ? Object.fromEntries(revived) : value;
}

/** How objects of some keys are written. */
interface Layout {
  /** As the object lists them. */
  readonly keys: readonly string[];
  readonly sorted: readonly { readonly key: string; readonly before: string }[];
}

/** Of the object before: the positions of a source are alike, and sorting their keys took most of the time. */
let lastLayout: Layout = { keys: [], sorted: [] };

function layoutOf(fields: object): Layout {
  const keys = Object.keys(fields);
  const last = lastLayout;
  if (keys.length === last.keys.length && keys.every((key, index) => key === last.keys[index])) return last;
  const sorted = keys.toSorted().map((key) => ({ key, before: `${JSON.stringify(key)}:` }));
  return (lastLayout = { keys, sorted });
}

function objectText(fields: object, path: string): string {
  let text = '';
  for (const { key, before } of layoutOf(fields).sorted) {
    const value: unknown = fields[key as keyof typeof fields];
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}${before}${valueText(value, path === '' ? key : `${path}.${key}`)}`;
  }
  return `{${text}}`;
}

function valueText(value: unknown, path: string): string {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'boolean':
      return String(value);
    case 'number':
      if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return JSON.stringify(value);
      break;
    case 'bigint':
      return `{${bigintMark}:"${value.toString()}"}`;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((item, index) => valueText(item, `${path}[${index}]`)).join(',')}]`;
      if (isPlain(value)) return objectText(value, path);
      break;
    case 'function':
    case 'symbol':
    case 'undefined':
      break;
  }
  throw invalid(`Its field "${path}" is ${nameOf(value)}; allowed are ${ALLOWED}`);
}

/** Looks first whether something has to be escaped: that takes half the time of `JSON.stringify`. */
function stringText(value: string): string {
  for (let at = 0; at < value.length; at += 1) {
    const unit = value.charCodeAt(at);
    if (unit < SPACE || unit > TILDE || unit === QUOTE || unit === BACKSLASH) return JSON.stringify(value);
  }
  return `"${value}"`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Those of another thread or context have another Object.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: unknown): string {
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'object' && value !== null ? `of class ${value.constructor.name}` : typeof value;
}

function invalid(reason: string): ConnectError {
  return new ConnectError(ConnectErrorCode.positionInvalid, `A source partition or position cannot be stored. ${reason}`);
}
