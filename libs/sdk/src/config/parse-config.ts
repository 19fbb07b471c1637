import { type ConfigOf, type ConfigSpec, type Field, type FieldError, isRequiredField } from './config-fields.js';
import { nearestName } from './nearest-name.js';
import { parseField } from './parse-field.js';

/** A configuration as users send it. `null` is treated as absent. */
export type RawConfig = Readonly<Record<string, string | null | undefined>>;

export interface ParseOptions {
  /** What a name that is not in the spec is: an error (default), a warning, or nothing. */
  readonly unknownKeys?: 'reject' | 'warn' | 'ignore';
  /** Names that are known elsewhere, for example settings of a transform. They are never reported. */
  readonly isKnownElsewhere?: (name: string) => boolean;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly FieldError[] }
  | { readonly ok: false; readonly errors: readonly FieldError[]; readonly warnings: readonly FieldError[] };

/** What users wrote for a field under its name or an alias, or the error when two names disagree. */
export type GivenText =
  | { readonly kind: 'absent' }
  | { readonly kind: 'given'; readonly name: string; readonly text: string }
  | { readonly kind: 'conflict'; readonly message: string };

/** Finds the text of a field under its name, then its aliases. */
export function givenText(name: string, field: Field, raw: RawConfig): GivenText {
  let found: { name: string; text: string } | undefined;
  for (const candidate of field.aliases === undefined ? [name] : [name, ...field.aliases]) {
    const text = Object.hasOwn(raw, candidate) ? raw[candidate] : undefined;
    if (text === undefined || text === null) continue;
    if (found === undefined) found = { name: candidate, text };
    else if (found.text !== text) {
      return {
        kind: 'conflict',
        message: `Configuration ${name} is given twice with different values, as ${found.name} and as ${candidate}: write it once.`,
      };
    }
  }
  return found === undefined ? { kind: 'absent' } : { kind: 'given', ...found };
}

/**
 * Reads a configuration by its spec. Every wrong field is reported, not only the first. Messages name the field, what was given
 * and what is allowed, in Kafka Connect's words where it has some; a secret value is never repeated.
 */
export function parseConfig<const S extends ConfigSpec>(spec: S, raw: RawConfig, options: ParseOptions = {}): Parsed<ConfigOf<S>> {
  const errors: FieldError[] = [];
  const warnings: FieldError[] = [];
  const value: Record<string, unknown> = {};
  const known = new Set<string>();
  for (const [name, field] of Object.entries(spec)) {
    known.add(name);
    for (const alias of field.aliases ?? []) known.add(alias);
    const given = givenText(name, field, raw);
    switch (given.kind) {
      case 'absent':
        if (isRequiredField(field)) errors.push({ field: name, message: missingMessage(name) });
        value[name] = field.default;
        break;
      case 'conflict':
        errors.push({ field: name, message: given.message });
        break;
      case 'given': {
        const parsed = parseField(given.name, field, given.text);
        if (parsed.ok) value[name] = parsed.value;
        else errors.push({ field: name, message: parsed.message });
        break;
      }
      default:
        given satisfies never;
    }
  }
  reportUnknown(raw, known, options, errors, warnings);
  return errors.length > 0 ? { ok: false, errors, warnings } : { ok: true, value: value as ConfigOf<S>, warnings };
}

function missingMessage(name: string): string {
  return `Missing required configuration "${name}" which has no default value.`;
}

function reportUnknown(
  raw: RawConfig,
  known: ReadonlySet<string>,
  options: ParseOptions,
  errors: FieldError[],
  warnings: FieldError[],
): void {
  if (options.unknownKeys === 'ignore') return;
  const target = options.unknownKeys === 'warn' ? warnings : errors;
  for (const name of Object.keys(raw)) {
    if (known.has(name) || options.isKnownElsewhere?.(name) === true) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
    target.push({ field: name, message: `Configuration ${name} is not a known setting.${hint}` });
  }
}
