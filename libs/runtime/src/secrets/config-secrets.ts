import { isControlSetting } from '@sluice/core';
import { isSealed, SealedValueError } from '@sluice/protocol';
import {
  type ConfigProvider,
  type FieldError,
  mayHoldReferences,
  parseReferences,
  secretsRemover,
  type TaskConfig,
  type ValuePart,
} from '@sluice/sdk';
import { findReferences, type FoundReferences, textOf } from './resolve-references.js';
import { ResolvedConfig, type ResolutionError, type ValueCipher } from './resolved-config.js';

/** How long a provider may take for the values of one path, in milliseconds. The validation of a connector waits for it. */
const PROVIDER_LIMIT_MS = 3_000;
/** References of one configuration; a larger number is a mistake. */
const MAX_REFERENCES = 500;
/** How many references are asked for at a time; those inside others are asked for beside them. */
const REFERENCES_AT_ONCE = 50;

/** A value, and how long it holds at least, where its provider says so. */
export interface ProvidedValue {
  readonly value: string;
  readonly ttlMs?: number;
}

const NO_KEYS: ValueCipher = {
  canSeal: false,
  currentKey: undefined,
  seal: (_connector, _setting, value) => value,
  open: () => {
    throw new SealedValueError('it is encrypted, and this node has no keys', '');
  },
};

/** Returns what the present tasks of a connector have beside its settings, by their numbers; empty where it has none yet. */
export type PresentTasks = (connector: string) => readonly Readonly<Record<string, string | null>>[];

export interface ConfigSecretsOptions {
  /** By the names that references call them. */
  readonly providers?: ReadonlyMap<string, ConfigProvider>;
  /** Opens encrypted values; without it none can be opened. */
  readonly cipher?: ValueCipher;
  readonly presentTasks?: PresentTasks;
}

interface ReadConfig {
  readonly stored: TaskConfig;
  readonly written: TaskConfig;
  /** Of the settings that may hold references. */
  readonly parts: ReadonlyMap<string, readonly ValuePart[]>;
  readonly errors: readonly ResolutionError[];
}

/** Makes of stored settings what a connector gets: opens encrypted values, and resolves references with the config providers of a runner. */
export class ConfigSecrets {
  readonly #providers: ReadonlyMap<string, ConfigProvider>;
  readonly #cipher: ValueCipher;
  readonly #presentTasks: PresentTasks;

  constructor({ providers = new Map(), cipher = NO_KEYS, presentTasks = () => [] }: ConfigSecretsOptions = {}) {
    this.#providers = providers;
    this.#cipher = cipher;
    this.#presentTasks = presentTasks;
  }

  /** Resolves a configuration. Never throws: {@link ResolvedConfig.errors} says what has no value. */
  async resolve(stored: TaskConfig, signal?: AbortSignal): Promise<ResolvedConfig> {
    const [resolved] = await this.resolveAll([stored], signal);
    return resolved;
  }

  /** Resolves configurations as {@link resolve} does. A reference that several have stands for the same value in each. */
  async resolveAll<T extends readonly TaskConfig[]>(
    all: readonly [...T],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ [K in keyof T]: ResolvedConfig }> {
    const opened = all.map((stored) => this.#read(stored));
    const used = opened.flatMap(({ parts }) => [...parts].filter(([field]) => !isControlSetting(field)).map(([, each]) => each));
    const source = { providers: this.#providers, limitMs: PROVIDER_LIMIT_MS, most: MAX_REFERENCES * all.length };
    const found: FoundReferences = used.length === 0 ? new Map() : await findReferences(used, source, signal);
    return opened.map((each) => this.#withValues(each, found)) as { [K in keyof T]: ResolvedConfig };
  }

  #read(stored: TaskConfig): ReadConfig {
    const errors: ResolutionError[] = [];
    const written = this.#opened(stored, errors);
    const parts = new Map<string, readonly ValuePart[]>();
    for (const [field, value] of Object.entries(written)) if (mayHoldReferences(value)) parts.set(field, parseReferences(value));
    return { stored, written, parts, errors };
  }

  #withValues({ stored, written, parts, errors: before }: ReadConfig, found: FoundReferences): ResolvedConfig {
    const errors = [...before];
    const config: Record<string, string> = { ...written };
    for (const [field, each] of parts) {
      const source = each.find((part) => part.kind !== 'text');
      if (isControlSetting(field)) {
        if (source !== undefined) errors.push(controlError(field, source));
        continue;
      }
      const text = textOf(each, found);
      if (typeof text === 'string') config[field] = text;
      else errors.push(missingError(field, each, found));
    }
    return new ResolvedConfig({ stored, written, config, found, errors, cipher: this.#cipher, presentTasks: this.#presentTasks });
  }

  /**
   * Returns what references stand for now. Those whose providers never change, and those that have no value now, are left out.
   *
   * @param sources as they are written, `${env:NAME}`
   */
  async current(sources: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, ProvidedValue>> {
    const parts = sources.map(parseReferences).filter((each) => each.some((part) => !this.#isConstant(part)));
    const current = new Map<string, ProvidedValue>();
    for (let from = 0; from < parts.length; from += REFERENCES_AT_ONCE) {
      const some = parts.slice(from, from + REFERENCES_AT_ONCE);
      const found = await findReferences(some, { providers: this.#providers, limitMs: PROVIDER_LIMIT_MS }, signal);
      for (const [source, answer] of found) if ('value' in answer) current.set(source, answer);
    }
    return current;
  }

  /** One that depends on another has a path or key that may change. */
  #isConstant(part: ValuePart): boolean {
    if (part.kind !== 'reference') return true;
    const { provider, path = [], key } = part;
    return this.#providers.get(provider)?.isConstant === true && [...path, ...key].every((each) => this.#isConstant(each));
  }

  #opened(stored: TaskConfig, errors: ResolutionError[]): TaskConfig {
    if (!Object.values(stored).some(isSealed)) return stored;
    const connector = stored['name'] ?? '';
    const written: Record<string, string> = { ...stored };
    for (const [field, value] of Object.entries(stored)) {
      if (!isSealed(value)) continue;
      try {
        written[field] = this.#cipher.open(connector, field, value);
      } catch (error) {
        errors.push(sealedError(field, error));
      }
    }
    return written;
  }
}

function sealedError(field: string, error: unknown): ResolutionError {
  const reason = error instanceof SealedValueError ? error.reason : 'it cannot be opened';
  // A changed file of keys is read again.
  const isLasting = !(error instanceof SealedValueError && error.missingKey !== undefined && error.missingKey !== '');
  return { field, message: `Configuration ${field} has no value: ${reason} (secrets.key.file).`, isLasting };
}

function controlError(field: FieldError['field'], part: Exclude<ValuePart, { readonly kind: 'text' }>): ResolutionError {
  const message = `Configuration ${field} is ${part.source}, but it cannot be a reference: it is read where no value is known. Give the value itself.`;
  return { field, message, isLasting: true };
}

function missingError(field: string, parts: readonly ValuePart[], found: FoundReferences): ResolutionError {
  for (const part of parts) {
    if (part.kind === 'text') continue;
    const answer = textOf([part], found);
    if (typeof answer === 'string' || answer === undefined) continue;
    const message = `Configuration ${field}: the reference ${part.source} cannot be resolved: ${hiderOf(found)(answer.reason)}.`;
    return { field, message, isLasting: answer.isLasting };
  }
  return { field, message: `Configuration ${field} cannot be resolved.`, isLasting: true };
}

/** A path holds the values of the references inside it, and whoever shows the error may know no values. */
function hiderOf(found: FoundReferences): (text: string) => string {
  const values = [...found].flatMap(([source, answer]) => ('value' in answer ? [{ source, value: answer.value }] : []));
  return secretsRemover({}, () => false, values);
}
