import type { ValidateAnswer } from '@sluice/protocol';
import {
  clusterErrors,
  type ConfigSpec,
  type Connector,
  describeSpec,
  type FieldError,
  type FieldState,
  HIDDEN_VALUE,
  hideEmbedded,
  isConfigError,
  isConnectError,
  isReference,
  isSecretName,
  mayHoldReferences,
  parseConfig,
  type ResolvedValue,
  secretsAmong,
  secretsRemover,
  type TaskConfig,
  type ConfigValidation,
  validateConfig,
} from '@sluice/sdk';
import { sinkSettingsSpec, sourceSettingsSpec } from '../config/connector-settings.js';
import { DATA_CLUSTER_PREFIX } from '../config/data-cluster-settings.js';
import { deadLetterErrors, deadLetterWarnings } from '../config/dead-letter-rule.js';
import { exactlyOnceErrors } from '../config/exactly-once-rule.js';
import { queueByErrors } from '../config/queue-by-rule.js';
import { hasNoEffectOn, rawErrors } from '../config/raw-rule.js';
import { topicsErrors } from '../config/topics-rule.js';
import { isJudgedElsewhere, unsupportedSettingsIn } from '../config/unsupported-settings.js';
import { choiceErrors } from '../catalog/plugin-choice.js';
import { isOfTransforms, transformErrors } from '../transforms/transform-choice.js';
import type { ResolvedConfig } from '../secrets/resolved-config.js';
import { defineConnector, type StageTables } from './connector-definition.js';

export interface ValidationContext {
  readonly tables: StageTables;
  /** What is wrong with the choice of the connector itself. */
  readonly known?: readonly FieldError[];
  /** What users should know of settings that were translated. */
  readonly notes?: readonly string[];
  /** Checks settings as the connector itself does. */
  readonly check: (connector: Connector, config: TaskConfig) => Promise<readonly FieldError[]>;
}

/**
 * Says for every setting of a connector, and for every other one that was given, what it means and what is wrong with it.
 *
 * @throws what `check` throws
 */
export async function validateConnector(
  connector: Connector,
  resolved: ResolvedConfig,
  { tables, known = [], notes = [], check }: ValidationContext,
): Promise<ValidateAnswer> {
  const { config, errors: unresolved } = resolved;
  const { converters, transforms, spec } = defineConnector(connector, config, tables);
  const checked = validateConfig(spec, config, {
    unknownKeys: 'warn',
    isKnownElsewhere: (name) =>
      isJudgedElsewhere(name) ||
      isOfTransforms(name) ||
      hasNoEffectOn(connector, name) ||
      converters.some(({ prefix }) => name.startsWith(`${prefix}.`)),
  });
  const base = { ...checked, fields: withWrittenValues(checked.fields, spec, resolved) };
  const unsupported = unsupportedSettingsIn(config, spec);
  const wrong = new Set(base.fields.filter(({ state }) => state.errors.length > 0).map(({ state }) => state.name));
  const further = [
    ...known,
    ...unresolved,
    ...converters.flatMap((choice) => choiceErrors(choice, tables.converters)).filter(({ field }) => !wrong.has(field)),
    ...(connector.records === 'raw' ? rawErrors(connector, config) : transformErrors(config, transforms, tables)),
    ...unsupported.errors,
    ...clusterErrors(DATA_CLUSTER_PREFIX, config),
    ...(connector.kind === 'sink' ? sinkErrors(config, wrong) : connector.records === 'raw' ? [] : sourceErrors(config, wrong)),
    ...(unresolved.length > 0 ? [] : await ownErrors(connector, config, spec, check)),
  ].filter(({ field, message }) => unresolved.every((each) => each.field !== field || each.message === message));
  const fields: { description?: ValidateAnswer['fields'][number]['description']; state: FieldState }[] = [
    ...base.fields,
    ...undefinedSettings(connector, spec, resolved.written, further).map((state) => ({ state })),
  ];
  const hide = hiderOf(spec, config, resolved.values);
  return {
    className: connector.name,
    type: connector.kind,
    errorCount: base.fields.reduce((count, { state }) => count + state.errors.length, further.length),
    groups: base.groups,
    fields: fields.map(({ description, state }) => {
      const messages = further.filter(({ field }) => field === state.name).map(({ message }) => message);
      const errors = [...state.errors, ...messages];
      const withErrors = errors.length === 0 ? state : { ...state, errors: errors.map(hide) };
      return description === undefined ? { state: withErrors } : { description, state: withErrors };
    }),
    warnings: [...notes, ...base.warnings, ...unsupported.warnings.map(({ message }) => message), ...warningsOf(config)].map(hide),
  };
}

/** Shows settings with references as they are written. What is wrong with one that has no value is said elsewhere. */
function withWrittenValues(
  fields: ConfigValidation['fields'],
  spec: ConfigSpec,
  { written, config, errors }: ResolvedConfig,
): ConfigValidation['fields'] {
  return fields.map((field) => {
    const { name } = field.state;
    const aliases = spec[name]?.aliases ?? [];
    const given = [name, ...aliases].find(
      (each) => written[each] !== undefined && (written[each] !== config[each] || mayHoldReferences(written[each])),
    );
    if (given === undefined) return field;
    const value = written[given] ?? '';
    const shown = field.description.secret && !isReference(value) ? HIDDEN_VALUE : hideEmbedded(value);
    const isMissing = errors.some((each) => each.field === given);
    return { ...field, state: { ...field.state, value: shown, errors: isMissing ? [] : field.state.errors } };
  });
}

/**
 * Takes the values of secret settings out of texts that a connector wrote. These are the settings that the connector, or what its configuration
 * chooses, defines as secret, and those that nothing defines and whose names say so.
 */
export function secretsHider(
  connector: Connector | undefined,
  { config, resolved }: { readonly config: TaskConfig; readonly resolved: readonly ResolvedValue[] },
  tables: StageTables,
): (text: string) => string {
  return hiderOf(defineConnector(connector, config, tables).spec, config, resolved);
}

function hiderOf(spec: ConfigSpec, config: TaskConfig, resolved: readonly ResolvedValue[]): (text: string) => string {
  return secretsRemover(config, secretsAmong(describeSpec(spec)), resolved);
}

function sinkErrors(config: TaskConfig, wrong: ReadonlySet<string>): readonly FieldError[] {
  if (wrong.has('topics') || wrong.has('topics.regex')) return [];
  const { topics, 'topics.regex': regex, 'errors.deadletterqueue.topic.name': deadLetters } = sinkSettingsSpec;
  const parsed = parseConfig({ topics, 'topics.regex': regex }, config, { unknownKeys: 'ignore' });
  if (!parsed.ok) return [];
  const errors = topicsErrors(parsed.value.topics, parsed.value['topics.regex']);
  if (errors.length > 0) return errors;
  const own = parseConfig({ 'errors.deadletterqueue.topic.name': deadLetters }, config, { unknownKeys: 'ignore' });
  return own.ok ? deadLetterErrors(own.value['errors.deadletterqueue.topic.name'], parsed.value) : [];
}

function warningsOf(config: TaskConfig): readonly string[] {
  const { 'errors.tolerance': tolerance, 'errors.deadletterqueue.topic.name': topic } = sinkSettingsSpec;
  const spec = { 'errors.tolerance': tolerance, 'errors.deadletterqueue.topic.name': topic } as const;
  const parsed = parseConfig(spec, config, { unknownKeys: 'ignore' });
  return parsed.ok ? deadLetterWarnings(parsed.value) : [];
}

function sourceErrors(config: TaskConfig, wrong: ReadonlySet<string>): readonly FieldError[] {
  if (wrong.has('queue.by') || wrong.has('queue.by.header')) return [];
  const { 'queue.by': by, 'queue.by.header': header } = sourceSettingsSpec;
  const parsed = parseConfig({ 'queue.by': by, 'queue.by.header': header }, config, { unknownKeys: 'ignore' });
  return parsed.ok ? queueByErrors(parsed.value['queue.by'], parsed.value['queue.by.header']) : [];
}

/** The connector's own rules. They are asked only when each of its settings is right by itself. */
async function ownErrors(
  connector: Connector,
  config: TaskConfig,
  spec: ConfigSpec,
  check: ValidationContext['check'],
): Promise<readonly FieldError[]> {
  if (!parseConfig(spec, config, { unknownKeys: 'ignore' }).ok) return [];
  const support = connector.kind === 'source' ? exactlyOnceErrors(connector, config) : [];
  return [...support, ...(connector.validate === undefined ? [] : await check(connector, config))];
}

/** Makes what a connector's own check threw an error of the setting that names the connector. */
export function failedCheck(connector: Connector, error: unknown): readonly FieldError[] {
  if (isConfigError(error)) return error.errors;
  const why = isConnectError(error) ? error.message : String(error);
  return [{ field: 'connector.class', message: `${connector.name} could not check its settings: ${why}` }];
}

/** Finds settings that were given, or that an error names, and that nothing defines. */
function undefinedSettings(
  connector: Connector,
  spec: ConfigSpec,
  config: TaskConfig,
  errors: readonly FieldError[],
): readonly FieldState[] {
  const known = new Set(Object.entries(spec).flatMap(([name, { aliases }]) => [name, ...(aliases ?? [])]));
  const fields = new Set(Object.keys(spec));
  const names = new Set([
    ...Object.keys(config).filter((name) => !known.has(name)),
    ...errors.map(({ field }) => field).filter((name) => !fields.has(name)),
  ]);
  return [...names].map((name) => {
    const value = config[name];
    // Nothing says which settings of a converter or a transform are secret where none is chosen.
    const isSecret = isSecretName(name) || hasNoEffectOn(connector, name);
    const shown = value === undefined ? null : isSecret && !isReference(value) ? HIDDEN_VALUE : hideEmbedded(value);
    return { name, value: shown, recommendedValues: [], errors: [], visible: true };
  });
}
