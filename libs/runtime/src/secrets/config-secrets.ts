import {
  ConnectError,
  ConnectErrorCode,
  escapeReferences,
  type FieldError,
  mayHoldReferences,
  parseReferences,
  type ResolvedValue,
  secretForms,
  type TaskConfig,
  type ValuePart,
} from '@sluice/sdk';
import { isFixedSetting } from './fixed-settings.js';
import { findReferences, type FoundReferences, type ReferenceSource, textOf } from './resolve-references.js';

/** How long a provider may take for the values of one path, in milliseconds. The validation of a connector waits for it. */
const PROVIDER_LIMIT_MS = 3_000;
/** What stands for itself in a text of a task: replacing it would tear other words apart. */
const COMMON_WORD = /^(?:true|false|null|none|.{0,2})$/i;

/** Resolves the references of configurations with the config providers of a runner. */
export class ConfigSecrets {
  constructor(private readonly source: Pick<ReferenceSource, 'providers'> & Partial<ReferenceSource> = { providers: new Map() }) {}

  /** Resolves a configuration. Never throws: {@link ResolvedConfig.errors} says what has no value. */
  async resolve(stored: TaskConfig, signal: AbortSignal = new AbortController().signal): Promise<ResolvedConfig> {
    const parts = new Map<string, readonly ValuePart[]>();
    for (const [field, value] of Object.entries(stored)) if (mayHoldReferences(value)) parts.set(field, parseReferences(value));
    if (parts.size === 0) return new ResolvedConfig(stored, stored, new Map(), []);
    const used = [...parts].filter(([field]) => !isFixedSetting(field)).map(([, each]) => each);
    const found = await findReferences(used, { limitMs: PROVIDER_LIMIT_MS, ...this.source }, signal);
    const config: Record<string, string> = { ...stored };
    const errors: ResolutionError[] = [];
    for (const [field, each] of parts) {
      const source = each.find((part) => part.kind !== 'text');
      if (isFixedSetting(field)) {
        if (source !== undefined) errors.push(fixedError(field, source));
        continue;
      }
      const text = textOf(each, found);
      if (typeof text === 'string') config[field] = text;
      else errors.push(missingError(field, each, found));
    }
    return new ResolvedConfig(stored, config, found, errors);
  }
}

/** Why a setting has no value. */
interface ResolutionError extends FieldError {
  /** Only a change of settings helps. */
  readonly isLasting: boolean;
}

/** A configuration as it is stored, and as a connector gets it. */
export class ResolvedConfig {
  /** What references stood for, the longest first. */
  readonly values: readonly ResolvedValue[];

  constructor(
    readonly stored: TaskConfig,
    /** Its references replaced by values, its escapes by what they stand for. A setting with an error is as it is stored. */
    readonly config: TaskConfig,
    found: FoundReferences,
    readonly errors: readonly ResolutionError[],
  ) {
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
   * Turns the settings of a task back into what may be stored: values into the references that they came from.
   *
   * @throws ConnectError where a setting holds the value of a reference in a form that no reference stands for, such as base64
   */
  restore(task: TaskConfig): TaskConfig {
    return Object.fromEntries(Object.entries(task).map(([field, value]) => [field, this.#restored(field, value)]));
  }

  #restored(field: string, value: string): string {
    const stored = this.stored[field];
    if (stored !== undefined && value === this.config[field]) return stored;
    if (isFixedSetting(field) || field.startsWith('sluice.')) return value;
    const text = withReferences(value, this.values);
    const rest = parseReferences(text).flatMap((part) => (part.kind === 'text' ? [part.text] : []));
    if (rest.some((each) => holdsValue(each, this.values))) {
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `The connector gives its task a setting ${field} that holds the value of a reference in another form: it would be stored as it is`,
      );
    }
    return text;
  }
}

function withReferences(value: string, values: readonly ResolvedValue[]): string {
  const known = values.find((each) => !COMMON_WORD.test(each.value) && value.includes(each.value));
  if (known === undefined) return escapeReferences(value);
  return value
    .split(known.value)
    .map((part) => withReferences(part, values))
    .join(known.source);
}

/** Whether a text has a value in any form in which errors would repeat it. */
function holdsValue(text: string, values: readonly ResolvedValue[]): boolean {
  return values.some(({ value }) => !COMMON_WORD.test(value) && secretForms(value).some((form) => form.length > 2 && text.includes(form)));
}

function fixedError(field: string, part: Exclude<ValuePart, { readonly kind: 'text' }>): ResolutionError {
  const message = `Configuration ${field} is ${part.source}, but it cannot be a reference: it is read where no value is known. Give the value itself.`;
  return { field, message, isLasting: true };
}

function missingError(field: string, parts: readonly ValuePart[], found: FoundReferences): ResolutionError {
  for (const part of parts) {
    if (part.kind === 'text') continue;
    const answer = textOf([part], found);
    if (typeof answer === 'string' || answer === undefined) continue;
    const message = `Configuration ${field}: the reference ${part.source} cannot be resolved: ${answer.reason}.`;
    return { field, message, isLasting: answer.isLasting };
  }
  return { field, message: `Configuration ${field} cannot be resolved.`, isLasting: true };
}
