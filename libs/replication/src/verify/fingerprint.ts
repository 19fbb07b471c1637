import { hash } from 'node:crypto';

/** The parts of a message that a copy has to have unchanged. */
export interface ComparedMessage {
  /** As consumers see it: decompressed. */
  readonly body: Uint8Array;
  /** `Message.flag`. */
  readonly flag: number;
  /** The properties that are compared, as `comparedProperties` reads them. */
  readonly properties: ReadonlyMap<string, string>;
}

/** What is kept of a message to compare it with its copy, however long its body is. */
export interface Fingerprint {
  /** Hash of the body. */
  readonly body: string;
  readonly flag: number;
  /** Name and value in turn, sorted by name. */
  readonly properties: readonly string[];
}

const ALGORITHM = 'sha256';

/** Computes the fingerprint of a message. */
export function fingerprintOf({ body, flag, properties }: ComparedMessage): Fingerprint {
  const names = [...properties.keys()].sort();
  return { body: hash(ALGORITHM, body, 'base64'), flag, properties: names.flatMap((name) => [name, properties.get(name) ?? '']) };
}

/** Names what differs between a message and its copy: `body`, `flag` and names of properties. Empty where nothing does. */
export function differencesBetween(source: Fingerprint, copy: Fingerprint): readonly string[] {
  const different: string[] = [];
  if (source.body !== copy.body) different.push('body');
  if (source.flag !== copy.flag) different.push('flag');
  if (areEqual(source.properties, copy.properties)) return different;
  const names = differentNames(source.properties, copy.properties).map((name) => Buffer.from(name, 'latin1').toString('utf8'));
  return [...different, ...names];
}

function areEqual(ones: readonly string[], others: readonly string[]): boolean {
  if (ones.length !== others.length) return false;
  for (let at = 0; at < ones.length; at += 1) if (ones[at] !== others[at]) return false;
  return true;
}

function differentNames(ones: readonly string[], others: readonly string[]): readonly string[] {
  const copied = entriesOf(others);
  const different = [...entriesOf(ones)].filter(([name, value]) => copied.get(name) !== value).map(([name]) => name);
  const known = entriesOf(ones);
  return [...different, ...[...copied.keys()].filter((name) => !known.has(name))].sort();
}

function entriesOf(properties: readonly string[]): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (let at = 0; at + 1 < properties.length; at += 2) entries.set(properties[at] ?? '', properties[at + 1] ?? '');
  return entries;
}
