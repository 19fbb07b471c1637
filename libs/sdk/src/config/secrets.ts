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
/** More lines of a secret, or more texts inside its JSON, take too much memory. */
const MAX_LINES = 500;
/** Shorter texts inside a secret in JSON say what it is, such as `service_account`, unless their names are those of secrets. */
const MIN_TEXT = 24;
/** An address without a login or a query is no secret. */
const PLAIN_URL = /^https?:\/\/[^\s@?]*$/;
/** The line before and behind the lines of a key. */
const BOUNDARY = /-----(BEGIN|END) [A-Z0-9 ]{1,64}-----/;
/** What ends a line, also as JSON and variables of the environment write it. */
const LINE_END = /(?:[\r\n]|\\{1,4}[rn])+/;
const BASE64 = /^[\w+/=-]+$/;
/** After how many characters of base64 a line ends: RFC 7468 and RFC 2045. */
const BASE64_COLUMNS = [64, 76];
/** A secret is looked for where a text has its first characters. */
const PREFIX = 8;
/** The same of one that has fewer. */
const SHORT_PREFIX = 3;
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
  let found: KnownSecrets | undefined;
  return (text) => {
    found ??= new KnownSecrets(secretsIn(config, isSecret, resolved));
    return hideInText(found.hide(text));
  };
}

/** Replaces secrets in texts. One pass finds those whose first characters a text has: others cost nothing, however many there are. */
class KnownSecrets {
  readonly #secrets: readonly ResolvedValue[];
  /** By their first characters, the places of secrets in the list. */
  readonly #places = new Map<string, number[]>();
  /** Whether a secret may begin with characters of this hash: few other texts have it. */
  readonly #mayBegin: Uint8Array;
  /** What replaces a secret may hold another one. */
  readonly #inSources: ReadonlySet<number>;

  /** @param secrets in the order in which they are replaced */
  constructor(secrets: readonly ResolvedValue[]) {
    this.#secrets = secrets;
    this.#mayBegin = new Uint8Array(2 ** Math.min(20, Math.ceil(Math.log2(32 * (secrets.length + 1)))));
    for (const [place, { value }] of secrets.entries()) {
      const prefix = value.slice(0, value.length < PREFIX ? SHORT_PREFIX : PREFIX);
      const places = this.#places.get(prefix);
      if (places === undefined) this.#places.set(prefix, [place]);
      else places.push(place);
      this.#mayBegin[this.#hashAt(value, 0)] = 1;
    }
    this.#inSources = this.#placesIn([...new Set(secrets.map(({ source }) => source))].join('\n'));
  }

  hide(text: string): string {
    const places = [...new Set([...this.#placesIn(text), ...this.#inSources])].sort((left, right) => left - right);
    let hidden = text;
    for (const place of places) {
      const secret = this.#secrets[place];
      if (secret !== undefined) hidden = hidden.replaceAll(secret.value, () => secret.source);
    }
    return hidden;
  }

  #placesIn(text: string): ReadonlySet<number> {
    const found = new Set<readonly number[]>();
    for (let at = 0; at + SHORT_PREFIX <= text.length; at += 1) {
      if (this.#mayBegin[this.#hashAt(text, at)] === 0) continue;
      for (const length of [SHORT_PREFIX, PREFIX]) {
        const places = this.#places.get(text.slice(at, at + length));
        if (places !== undefined) found.add(places);
      }
    }
    return new Set([...found].flat());
  }

  #hashAt(text: string, at: number): number {
    const start = (text.charCodeAt(at) << 14) ^ (text.charCodeAt(at + 1) << 7) ^ text.charCodeAt(at + 2);
    return (Math.imul(start, 0x9e3779b1) >>> 8) & (this.#mayBegin.length - 1);
  }
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

/** Lists the forms in which an error repeats a secret: plain, trimmed, its parts, and inside JSON, a URL, base64 and hex. */
export function secretForms(secret: string): readonly string[] {
  const plain = secret.trim();
  if (plain.length < 3) return [secret, plain];
  const parts = [secret, plain, ...linesOf(plain), ...textsInJson(plain).flatMap(secretForms)];
  if (plain.length > MAX_ENCODED) return [...parts, JSON.stringify(plain).slice(1, -1), encodedForUrl(plain)];
  const bytes = Buffer.from(plain, 'utf8');
  const hex = bytes.toString('hex');
  const encoded = [JSON.stringify(plain).slice(1, -1), ...urlForms(plain), hex, hex.toUpperCase(), ...base64Forms(bytes)];
  return [...parts, ...encoded, ...base64Lines(bytes.toString('base64'))];
}

/** Lists the lines of a secret that has several, such as a key in PEM: an error may repeat one of them. */
function linesOf(text: string): readonly string[] {
  if (!LINE_END.test(text) && !BOUNDARY.test(text)) return [];
  const lines: string[] = [];
  // What a boundary is stands between the texts around it.
  const parts = text.split(BOUNDARY);
  for (let at = 0; at < parts.length && lines.length < MAX_LINES; at += 2) {
    const isKey = parts[at - 1] === 'BEGIN';
    for (const line of (parts[at] ?? '').split(LINE_END, MAX_LINES)) {
      lines.push(line.trim());
      // A key on a single line has blanks in place of its line ends.
      if (isKey && /\S\s+\S/.test(line)) lines.push(...line.split(/\s+/, MAX_LINES).filter((word) => BASE64.test(word)));
    }
  }
  return lines.slice(0, MAX_LINES).filter((line) => line.length >= MIN_LINE);
}

/** Lists the secrets inside one in JSON, such as the key of a service account: who reads the JSON shows them without its escapes. */
function textsInJson(text: string): readonly string[] {
  if (!/^[[{]/.test(text)) return [];
  const texts: string[] = [];
  const open: unknown[] = [jsonIn(text)];
  for (let value = open.pop(); value !== undefined && texts.length < MAX_LINES; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, each] of Object.entries(value)) {
      if (typeof each !== 'string') open.push(each);
      else if ((isSecretName(name) || each.length >= MIN_TEXT) && !PLAIN_URL.test(each)) texts.push(each);
    }
  }
  return texts.slice(0, MAX_LINES);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lists what base64 with ends of lines has, where the secret begins its first line: the whole, and its lines. */
function base64Lines(base64: string): readonly string[] {
  return BASE64_COLUMNS.filter((columns) => base64.length > columns).flatMap((columns) => {
    const lines = base64.match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
    return [lines.join('\r\n'), lines.join('\n'), ...lines.slice(0, MAX_LINES).filter(({ length }) => length >= MIN_LINE)];
  });
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
