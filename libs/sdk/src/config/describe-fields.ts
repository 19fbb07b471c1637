import { type ConfigSpec, type Field, HIDDEN_VALUE, isRequiredField, isSecretField } from './config-fields.js';
import { hideEmbedded } from './embedded-secrets.js';
import { givenText, type ParseOptions, parseConfig, type RawConfig } from './parse-config.js';

/** Kafka Connect's names of the types of settings. */
export type FieldTypeName = 'STRING' | 'INT' | 'LONG' | 'DOUBLE' | 'BOOLEAN' | 'LIST' | 'PASSWORD' | 'CLASS';

/** One setting, described with everything that Kafka Connect's `GET /connector-plugins/{plugin}/config` answers. */
export interface FieldDescription {
  readonly name: string;
  readonly type: FieldTypeName;
  readonly required: boolean;
  readonly defaultValue: string | null;
  readonly importance: 'HIGH' | 'MEDIUM' | 'LOW';
  readonly documentation: string;
  readonly group: string | null;
  /** From 1 within a group; -1 without a group. */
  readonly orderInGroup: number;
  readonly width: 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG';
  readonly displayName: string;
  readonly dependents: readonly string[];
  readonly recommendedValues: readonly string[];
  readonly aliases: readonly string[];
  readonly secret: boolean;
}

/** What a given configuration means for one setting. */
export interface FieldState {
  readonly name: string;
  /** The value in force as text, a default included; `null` if there is none. Secrets are hidden. */
  readonly value: string | null;
  readonly recommendedValues: readonly string[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}

export interface ConfigValidation {
  readonly errorCount: number;
  /** In the order of their first setting. */
  readonly groups: readonly string[];
  /** In the order of the spec; names that are not in the spec are not among them. */
  readonly fields: readonly { readonly description: FieldDescription; readonly state: FieldState }[];
  readonly warnings: readonly string[];
}

/** Describes every setting, in the order of the spec. */
export function describeSpec(spec: ConfigSpec): readonly FieldDescription[] {
  const membersOfGroup = new Map<string, number>();
  return Object.entries(spec).map(([name, field]) => {
    let orderInGroup = -1;
    if (field.group !== undefined) {
      const place = (membersOfGroup.get(field.group) ?? 0) + 1;
      membersOfGroup.set(field.group, place);
      orderInGroup = field.order ?? place;
    }
    return {
      name,
      type: field.type.toUpperCase() as FieldTypeName,
      required: isRequiredField(field),
      defaultValue: defaultText(field),
      importance: field.importance.toUpperCase() as FieldDescription['importance'],
      documentation: field.doc,
      group: field.group ?? null,
      orderInGroup,
      width: (field.width ?? 'none').toUpperCase() as FieldDescription['width'],
      displayName: field.displayName ?? name,
      dependents: field.dependents ?? [],
      recommendedValues: recommendedValues(field),
      aliases: field.aliases ?? [],
      secret: isSecretField(field),
    };
  });
}

/** Checks a configuration and says for every setting what it means: all that a validation answer needs. */
export function validateConfig(spec: ConfigSpec, raw: RawConfig, options: ParseOptions = {}): ConfigValidation {
  const parsed = parseConfig(spec, raw, options);
  const errors = parsed.ok ? [] : parsed.errors;
  const descriptions = describeSpec(spec);
  const fields = descriptions.map((description) => {
    const field = spec[description.name];
    return {
      description,
      state: {
        name: description.name,
        value: field === undefined ? null : valueText(description.name, field, raw),
        recommendedValues: description.recommendedValues,
        errors: errors.filter((error) => error.field === description.name).map((error) => error.message),
        visible: true,
      },
    };
  });
  const groups = new Set<string>();
  for (const { group } of descriptions) if (group !== null) groups.add(group);
  return {
    errorCount: errors.length,
    groups: [...groups],
    fields,
    warnings: parsed.warnings.map((warning) => warning.message),
  };
}

/** A setting's default as a user would write it, or `null`. A secret default is hidden. */
export function defaultText(field: Field): string | null {
  if (field.default === undefined) return null;
  if (isSecretField(field)) return HIDDEN_VALUE;
  return field.type === 'list' ? (field.default ?? []).join(field.separators?.charAt(0) ?? ',') : String(field.default);
}

function recommendedValues(field: Field): readonly string[] {
  switch (field.type) {
    case 'string':
      return field.oneOf ?? [];
    case 'boolean':
      return ['true', 'false'];
    case 'int':
    case 'long':
    case 'double':
    case 'list':
    case 'password':
    case 'class':
      return [];
    default:
      return field satisfies never;
  }
}

function valueText(name: string, field: Field, raw: RawConfig): string | null {
  const given = givenText(name, field, raw);
  if (given.kind === 'conflict') return null;
  if (given.kind === 'absent') return defaultText(field);
  return isSecretField(field) ? HIDDEN_VALUE : hideEmbedded(given.text);
}
