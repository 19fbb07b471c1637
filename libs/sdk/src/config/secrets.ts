import { HIDDEN_VALUE } from './config-fields.js';
import { embeddedSecrets, hideInText } from './embedded-secrets.js';
import type { FieldDescription } from './describe-fields.js';
import { isReference } from './references.js';

/** Decides which names of a configuration hold secrets. */
export type IsSecret = (name: string) => boolean;

/** What is given for a secret setting and is no secret: hiding such words would make texts unreadable. */
const NO_SECRET = /^(?:true|false|null|none)$/i;
/** Longer ones are looked for in few forms: all of them together take twenty times the memory of the secret. */
const MAX_ENCODED = 256 * 1024;
/** Shorter lines of a secret stand in many texts. */
const MIN_LINE = 8;
/** Each line costs a search through the text. */
const MAX_LINES = 500;
/** The line before and behind the lines of a key. */
const BOUNDARY = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/;
/** Fewer characters of base64 stand in many texts. */
const MIN_BASE64 = 6;

const SECRET_NAME = /password|passwd|passphrase|secret|token|credential|(api|access|private)[._-]?key/i;

/** Judges by its name whether a setting holds a secret, where nothing defines the setting. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Makes the rule for a configuration: a defined name or alias follows its definition, any other one {@link isSecretName}. */
export function secretsAmong(definitions: readonly Pick<FieldDescription, 'name' | 'aliases' | 'secret'>[]): IsSecret {
  const defined = new Map<string, boolean>();
  for (const { name, aliases, secret } of definitions) for (const each of [name, ...aliases]) defined.set(each, secret);
  return (name) => defined.get(name) ?? isSecretName(name);
}

/** What a value of a configuration came from: shown in its place, since it is no secret itself. */
export interface ResolvedValue {
  readonly value: string;
  /** For example `${env:PASSWORD}`. */
  readonly source: string;
}

/**
 * Makes a function that replaces the secrets of a configuration in a text by {@link HIDDEN_VALUE}. These are values of secret settings, secrets
 * inside other values, and what {@link hideInText} finds in any text. It finds them also in base64, in hex and as URLs write them. Values of one
 * or two characters hide nothing and are left.
 *
 * @param resolved values that config providers gave: their references replace them
 */
export function secretsRemover(
  config: Readonly<Record<string, string>>,
  isSecret: IsSecret,
  resolved: readonly ResolvedValue[] = [],
): (text: string) => string {
  // Most of those who may need it have no text: then nothing looks for secrets.
  let found: readonly ResolvedValue[] | undefined;
  return (text) => {
    found ??= secretsIn(config, isSecret, resolved);
    return hideInText(found.reduce((hidden, { value, source }) => hidden.replaceAll(value, () => source), text));
  };
}

/** Lists what a text may repeat of a configuration's secrets, the longest first. */
function secretsIn(
  config: Readonly<Record<string, string>>,
  isSecret: IsSecret,
  resolved: readonly ResolvedValue[],
): readonly ResolvedValue[] {
  const own = Object.entries(config).flatMap(([name, value]) =>
    isSecret(name) && !isReference(value) ? [value, ...embeddedSecrets(value)] : embeddedSecrets(value),
  );
  const all = [...resolved, ...own.map((value) => ({ value, source: HIDDEN_VALUE }))]
    .flatMap(({ value, source }) => secretForms(value).map((form) => ({ value: form, source })))
    .filter(({ value }) => value.length > 2 && value !== HIDDEN_VALUE && !NO_SECRET.test(value));
  const distinct = new Map(all.reverse().map((each) => [each.value, each]));
  return [...distinct.values()].sort((left, right) => right.value.length - left.value.length);
}

/** Lists the forms in which an error repeats a secret: plain, trimmed, line by line, and inside JSON, a URL, base64 and hex. */
export function secretForms(secret: string): readonly string[] {
  const plain = secret.trim();
  if (plain.length < 3) return [secret, plain];
  if (plain.length > MAX_ENCODED) return [secret, plain, ...linesOf(plain), JSON.stringify(plain).slice(1, -1), encodedForUrl(plain)];
  const bytes = Buffer.from(plain, 'utf8');
  const hex = bytes.toString('hex');
  const encoded = [JSON.stringify(plain).slice(1, -1), ...urlForms(plain), hex, hex.toUpperCase(), ...base64Forms(bytes)];
  return [secret, plain, ...linesOf(plain), ...encoded];
}

/** Lists the lines of a secret that has several, such as a key in PEM: an error may repeat one of them. */
function linesOf(text: string): readonly string[] {
  if (!/[\r\n]/.test(text)) return [];
  const lines = text.split(/[\r\n]+/, MAX_LINES).map((line) => line.trim());
  return lines.filter((line) => line.length >= MIN_LINE && !BOUNDARY.test(line));
}

/** Lists what RFC 3986, JavaScript and forms of HTML make of a text in a URL. */
function urlForms(text: string): readonly string[] {
  const encoded = encodedForUrl(text);
  const strict = encoded.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [encoded, strict, strict.replaceAll('%20', '+')];
  return [...forms, ...forms.map((form) => form.replace(/%[\dA-F]{2}/g, (byte) => byte.toLowerCase()))];
}

function encodedForUrl(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // A lone half of a surrogate pair has no form in a URL.
    return text;
  }
}

/** Of the base64 of a text that has the secret somewhere inside, the characters that the secret alone decides, at each of the three places. */
function base64Forms(bytes: Buffer): readonly string[] {
  const forms = [bytes.toString('base64')];
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const isWhole = (before + bytes.length) % 3 === 0;
    const inner = text.slice(before === 0 ? 0 : before + 1, isWhole ? undefined : -1);
    if (inner.length >= MIN_BASE64) forms.push(inner);
  }
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}
