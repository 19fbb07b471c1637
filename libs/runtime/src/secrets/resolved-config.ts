import { isControlSetting } from '@sluice/core';
import { isSealed, sealedWith } from '@sluice/protocol';
import {
  ConnectError,
  ConnectErrorCode,
  embeddedSecrets,
  escapeReferences,
  type FieldError,
  hideEmbedded,
  type IsSecret,
  isReference,
  isSecretName,
  mayHoldReferences,
  parseReferences,
  secretForms,
  type TaskConfig,
  type ValuePart,
} from '@sluice/sdk';
import type { FoundReferences } from './resolve-references.js';
import type { ResolvedTask } from './resolved-task.js';

/** What stands for itself in a text of a task: replacing it would tear other words apart. */
const COMMON_WORD = /^(?:true|false|null|none|.{0,2})$/i;

/** Stands where a reference was; no text has it. */
const BETWEEN = '\u{F0000}';

/** Encrypts values of settings for the log, and opens them. */
export interface ValueCipher {
  /** Without keys values are stored as they are. */
  readonly canSeal: boolean;
  /** The key of new values; `undefined` without keys. */
  readonly currentKey: string | undefined;
  /** Returns `before` where that is the same value under the key `keyId`, by default under any key. */
  seal(connector: string, setting: string, value: string, before?: string | null, keyId?: string): string;
  /** @throws SealedValueError */
  open(connector: string, setting: string, sealed: string): string;
}

/** Why a setting has no value. */
export interface ResolutionError extends FieldError {
  /** Only a change of settings helps. */
  readonly isLasting: boolean;
}

export interface ResolvedConfigParts {
  /** As the log has it. */
  readonly stored: TaskConfig;
  /** As users wrote it: opened, with its references. A setting that cannot be opened is as it is stored. */
  readonly written: TaskConfig;
  /** As a connector gets it. A setting with an error is as it is written. */
  readonly config: TaskConfig;
  readonly found: FoundReferences;
  readonly errors: readonly ResolutionError[];
  readonly cipher: ValueCipher;
  readonly presentTasks: (connector: string) => readonly Readonly<Record<string, string | null>>[];
}

/** A configuration as it is stored, as users wrote it, and as a connector gets it. */
export class ResolvedConfig {
  readonly stored: TaskConfig;
  readonly written: TaskConfig;
  readonly config: TaskConfig;
  readonly errors: readonly ResolutionError[];
  /** What references stood for, the longest first. */
  readonly values: NonNullable<ResolvedTask['resolved']>;
  #lookup: Lookup | undefined;
  readonly #parts: ResolvedConfigParts;
  readonly #cipher: ValueCipher;
  readonly #presentTasks: ResolvedConfigParts['presentTasks'];

  constructor(parts: ResolvedConfigParts) {
    const { stored, written, config, found, errors, cipher, presentTasks } = parts;
    this.#parts = parts;
    this.stored = stored;
    this.written = written;
    this.config = config;
    this.errors = errors;
    this.#cipher = cipher;
    this.#presentTasks = presentTasks;
    this.values = [...found]
      .flatMap(([source, answer]) => ('value' in answer ? [{ source, ...answer }] : []))
      .sort((left, right) => right.value.length - left.value.length);
  }

  /** Returns the same with other settings, and with what to show for them. */
  withSettings(config: TaskConfig, written: TaskConfig): ResolvedConfig {
    return new ResolvedConfig({ ...this.#parts, config, written });
  }

  /** @throws ConnectError that names each setting without a value; `retriable` where it may have one later */
  valid(): TaskConfig {
    if (this.errors.length === 0) return this.config;
    const isLasting = this.errors.some((error) => error.isLasting);
    const code = isLasting ? ConnectErrorCode.configInvalid : ConnectErrorCode.unavailable;
    throw new ConnectError(code, this.errors.map(({ message }) => message).join('\n'), { retriable: !isLasting });
  }

  /**
   * Turns the settings of a task back into what may be stored. A setting that is the whole value of a reference becomes that reference, and so does
   * the value of a secret inside a text. Other values stay in texts: `app` in `apples` is none. Secrets are encrypted where the node has keys.
   *
   * @param index the number of the task: its present settings are kept where they say the same
   * @throws ConnectError on a node without keys, for a value in a form that no reference stands for, or one that several references have
   */
  restore(task: TaskConfig, index: number, isSecret: IsSecret): TaskConfig {
    const connector = this.stored['name'] ?? '';
    const present = this.#presentTasks(connector)[index];
    const { values, inline } = this.#lookupOf(isSecret);
    const keyId = this.#keyOfConnector() ?? this.#cipher.currentKey;
    return Object.fromEntries(
      Object.entries(task).map(([field, value]) => {
        const stored = this.stored[field];
        if (stored !== undefined && value === this.config[field]) return [field, stored];
        if (isControlSetting(field) || field.startsWith('sluice.')) {
          // They are read where no value is known, and cannot be encrypted.
          if (!/^\d*$/.test(value) && values.some((each) => each.isSecret && holdsAny(value, each.forms))) throw unstorable(field);
          return [field, value];
        }
        const { text, isLeft, isWord } = withReferences(value, values, sourcesIn(this.written[field] ?? ''));
        if (this.#cipher.canSeal) {
          const isSealing = isLeft || isWord || isOpenSecret(field, text, isSecret) || holdsAny(text, inline);
          return [field, isSealing ? this.#cipher.seal(connector, field, text, present?.[field], keyId) : text];
        }
        if (isLeft) throw unstorable(field);
        return [field, text];
      }),
    );
  }

  /** The key of the connector's own values: its tasks follow it, whichever runner splits the connector. */
  #keyOfConnector(): string | undefined {
    for (const value of Object.values(this.stored)) {
      const keyId = sealedWith(value);
      if (keyId !== undefined) return keyId;
    }
    return undefined;
  }

  /** Computes once for all tasks what their settings are searched for. */
  #lookupOf(isSecret: IsSecret): Lookup {
    if (this.#lookup?.isSecret === isSecret) return this.#lookup;
    const inline = this.#cipher.canSeal ? this.#inlineSecrets(isSecret).filter((each) => !COMMON_WORD.test(each)) : [];
    const values = knownValues(this.values, this.#secretSources(isSecret));
    this.#lookup = { isSecret, values, inline: [...new Set(inline.flatMap(secretForms))].filter(({ length }) => length > 2) };
    return this.#lookup;
  }

  /** The references that stand in secret settings, are a part of a secret inside another one, or name a secret, as `${file:/db:password}`. */
  #secretSources(isSecret: IsSecret): ReadonlySet<string> {
    const valueOf = new Map(this.values.map(({ source, value }) => [source, value]));
    const secret = new Set<string>();
    for (const [field, written] of Object.entries(this.written)) {
      const sources = sourcesIn(written);
      if (sources.size === 0) continue;
      // Of a login its password: the user alone is none.
      const inner = isSecret(field) ? [] : innermost(embeddedSecrets(this.config[field] ?? ''));
      for (const source of sources) {
        const value = valueOf.get(source) ?? '';
        if (isSecret(field) || isSecretName(source) || (value !== '' && inner.some((each) => each.includes(value) || value.includes(each))))
          secret.add(source);
      }
    }
    return secret;
  }

  /** Secrets that are written in the settings themselves. */
  #inlineSecrets(isSecret: IsSecret): readonly string[] {
    return Object.entries(this.written).flatMap(([field, value]) => {
      if (isControlSetting(field)) return [];
      const isWhole = isSecret(field) ? !isReference(value) : isSealed(this.stored[field] ?? '') && embeddedSecrets(value).length === 0;
      return isWhole ? [value, ...embeddedSecrets(value)] : embeddedSecrets(value);
    });
  }
}

function isOpenSecret(field: string, text: string, isSecret: IsSecret): boolean {
  if (text === '') return false;
  return isSecret(field) ? !isReference(text) : hideEmbedded(text) !== text;
}

interface Lookup {
  readonly isSecret: IsSecret;
  readonly values: readonly KnownValue[];
  /** What a text must not hold of secrets that are written in the settings. */
  readonly inline: readonly string[];
}

interface KnownValue {
  readonly value: string;
  /** All references that stand for it now. */
  readonly sources: readonly string[];
  readonly isSecret: boolean;
  /** What a text must not hold of it. */
  readonly forms: readonly string[];
}

/** Puts references with equal values together. Of a value that is no secret only encoded forms are looked for: the text itself may be a word. */
function knownValues(values: ResolvedConfig['values'], secretSources: ReadonlySet<string>): readonly KnownValue[] {
  const sourcesOf = new Map<string, string[]>();
  for (const { source, value } of values) {
    if (!COMMON_WORD.test(value)) sourcesOf.set(value, [...(sourcesOf.get(value) ?? []), source]);
  }
  return [...sourcesOf].map(([value, sources]) => {
    const isSecret = sources.some((source) => secretSources.has(source));
    const all = isSecret ? [value, ...embeddedSecrets(value), ...value.split(',')].flatMap(secretForms) : secretForms(value);
    const forms = [...new Set(all)].filter((form) => form.length > 2 && !COMMON_WORD.test(form) && (isSecret || !isPlain(form, value)));
    return { value, sources, isSecret, forms };
  });
}

/** Whether a form is what stands in JSON or in a URL for a text that need not be written otherwise there. */
function isPlain(form: string, value: string): boolean {
  return value.includes(form) || form === JSON.stringify(value.trim()).slice(1, -1);
}

interface Restored {
  readonly text: string;
  /** It holds a value that must not be stored as it is. */
  readonly isLeft: boolean;
  /** It holds a value that is no secret, or a word that only looks like it. */
  readonly isWord: boolean;
}

function withReferences(value: string, values: readonly KnownValue[], own: ReadonlySet<string>): Restored {
  const whole = values.find((each) => each.value === value);
  const source = whole && sourceOf(whole, own);
  if (source !== undefined) return { text: source, isLeft: false, isWord: false };
  let parts: readonly { readonly text: string; readonly source?: string }[] = [{ text: value }];
  for (const each of values) {
    const known = each.isSecret ? sourceOf(each, own) : undefined;
    if (known === undefined || !value.includes(each.value)) continue;
    parts = parts.flatMap((part) => {
      if (part.source !== undefined) return [part];
      return part.text.split(each.value).flatMap((text, at) => (at === 0 ? [{ text }] : [{ text: '', source: known }, { text }]));
    });
  }
  const rest = parts.map(({ text }) => text).join(BETWEEN);
  // A dollar sign before a reference would make it an escape.
  const isTorn = parts.some(({ text }, at) => text.endsWith('$') && parts[at + 1]?.source !== undefined);
  const isLeft = isTorn || values.some(({ forms }) => holdsAny(rest, forms));
  const isWord = values.some((each) => !each.isSecret && rest.includes(each.value));
  const text = isTorn ? escapeReferences(value) : parts.map((part) => part.source ?? escapeReferences(part.text)).join('');
  return { text, isLeft, isWord };
}

/** Chooses the reference of a value: that of the setting itself where several have it. Another one may have another value tomorrow. */
function sourceOf({ sources }: KnownValue, own: ReadonlySet<string>): string | undefined {
  return sources.find((source) => own.has(source)) ?? (sources.length === 1 ? sources[0] : undefined);
}

function sourcesIn(written: string): ReadonlySet<string> {
  const sources = new Set<string>();
  const collect = (parts: readonly ValuePart[]): void => {
    for (const part of parts) {
      if (part.kind !== 'reference') continue;
      sources.add(part.source);
      collect(part.path ?? []);
      collect(part.key);
    }
  };
  if (mayHoldReferences(written)) collect(parseReferences(written));
  return sources;
}

function innermost(secrets: readonly string[]): readonly string[] {
  return secrets.filter((each) => secrets.every((other) => other === each || other === '' || !each.includes(other)));
}

function holdsAny(text: string, forms: readonly string[]): boolean {
  return forms.some((form) => text.includes(form));
}

function unstorable(field: string): ConnectError {
  return new ConnectError(
    ConnectErrorCode.configInvalid,
    `The connector gives its task a setting ${field} that holds the value of a reference in another form, or one that several have. It ` +
      'would be stored as it is: with secrets.key.file it is encrypted',
  );
}
