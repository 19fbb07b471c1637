import { isControlSetting } from '@sluice/core';
import { isSealed } from '@sluice/protocol';
import {
  ConnectError,
  ConnectErrorCode,
  embeddedSecrets,
  escapeReferences,
  type FieldError,
  hideEmbedded,
  type IsSecret,
  isReference,
  parseReferences,
  type ResolvedValue,
  secretForms,
  type TaskConfig,
} from '@sluice/sdk';
import type { FoundReferences } from './resolve-references.js';

/** What stands for itself in a text of a task: replacing it would tear other words apart. */
const COMMON_WORD = /^(?:true|false|null|none|.{0,2})$/i;

/** Encrypts values of settings for the log, and opens them. */
export interface ValueCipher {
  /** Without keys values are stored as they are. */
  readonly canSeal: boolean;
  /** Returns `before` where that is the same value under the present key. */
  seal(connector: string, setting: string, value: string, before?: string | null): string;
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
  readonly values: readonly ResolvedValue[];
  readonly #cipher: ValueCipher;
  readonly #presentTasks: ResolvedConfigParts['presentTasks'];

  constructor({ stored, written, config, found, errors, cipher, presentTasks }: ResolvedConfigParts) {
    this.stored = stored;
    this.written = written;
    this.config = config;
    this.errors = errors;
    this.#cipher = cipher;
    this.#presentTasks = presentTasks;
    this.values = [...found]
      .flatMap(([source, answer]) => ('value' in answer ? [{ source, value: answer.value }] : []))
      .sort((left, right) => right.value.length - left.value.length);
  }

  /** @throws ConnectError that names each setting without a value; `retriable` where it may have one later */
  valid(): TaskConfig {
    if (this.errors.length === 0) return this.config;
    const isLasting = this.errors.some((error) => error.isLasting);
    const code = isLasting ? ConnectErrorCode.configInvalid : ConnectErrorCode.unavailable;
    throw new ConnectError(code, this.errors.map(({ message }) => message).join('\n'), { retriable: !isLasting });
  }

  /**
   * Turns the settings of a task back into what may be stored. Values become the references that they came from; secrets are encrypted where the
   * node has keys.
   *
   * @param index the number of the task: its present settings are kept where they say the same
   * @throws ConnectError where a node without keys finds the value of a reference in a form that no reference stands for, such as base64
   */
  restore(task: TaskConfig, index: number, isSecret: IsSecret): TaskConfig {
    const connector = this.stored['name'] ?? '';
    const present = this.#presentTasks(connector)[index];
    const inline = this.#cipher.canSeal ? this.#inlineSecrets(isSecret) : [];
    return Object.fromEntries(
      Object.entries(task).map(([field, value]) => {
        const stored = this.stored[field];
        if (stored !== undefined && value === this.config[field]) return [field, stored];
        if (isControlSetting(field) || field.startsWith('sluice.')) return [field, value];
        const text = withReferences(value, this.values);
        const isLeft = restOf(text).some((part) =>
          holdsAny(
            part,
            this.values.map(({ value: each }) => each),
          ),
        );
        if (this.#cipher.canSeal) {
          const isSealing = isLeft || isOpenSecret(field, text, isSecret) || holdsAny(text, inline);
          return [field, isSealing ? this.#cipher.seal(connector, field, text, present?.[field]) : text];
        }
        if (isLeft) throw unstorable(field);
        return [field, text];
      }),
    );
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

function withReferences(value: string, values: readonly ResolvedValue[]): string {
  const known = values.find((each) => !COMMON_WORD.test(each.value) && value.includes(each.value));
  if (known === undefined) return escapeReferences(value);
  return value
    .split(known.value)
    .map((part) => withReferences(part, values))
    .join(known.source);
}

function restOf(text: string): readonly string[] {
  return parseReferences(text).flatMap((part) => (part.kind === 'text' ? [part.text] : []));
}

/** Whether a text has a secret in any form in which errors would repeat it. */
function holdsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => !COMMON_WORD.test(secret) && secretForms(secret).some((form) => form.length > 2 && text.includes(form)));
}

function unstorable(field: string): ConnectError {
  return new ConnectError(
    ConnectErrorCode.configInvalid,
    `The connector gives its task a setting ${field} that holds the value of a reference in another form. It would be stored as it is: with ` +
      'secrets.key.file it is encrypted',
  );
}
