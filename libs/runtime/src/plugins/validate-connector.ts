import type { ValidateAnswer } from '@sluice/protocol';
import {
  type ConfigSpec,
  type Connector,
  describeSpec,
  type FieldError,
  type FieldState,
  HIDDEN_VALUE,
  hideEmbedded,
  isConfigError,
  isConnectError,
  isSecretName,
  nearestName,
  parseConfig,
  secretsAmong,
  secretsRemover,
  type TaskConfig,
  validateConfig,
} from '@sluice/sdk';
import { sinkSettingsSpec, sourceSettingsSpec } from '../config/connector-settings.js';
import { exactlyOnceErrors } from '../config/exactly-once-rule.js';
import { queueByErrors } from '../config/queue-by-rule.js';
import { topicsErrors } from '../config/topics-rule.js';
import { isJudgedElsewhere, unsupportedSettingsIn } from '../config/unsupported-settings.js';
import { type ConverterChoice, unknownConverterError } from '../converters/converter-choice.js';
import { transformSettingsSpec } from '../transforms/create-transforms.js';
import { chooseTransforms, isOfTransforms, transformErrors } from '../transforms/transform-choice.js';
import { connectorSpec, converterChoices, converterSettingsSpec } from './connector-definition.js';

/** Checks settings as the connector itself does. */
export type OwnCheck = (connector: Connector, config: TaskConfig) => Promise<readonly FieldError[]>;

/**
 * Says for every setting of a connector, and for every other one that was given, what it means and what is wrong with it.
 * @throws what `check` throws
 */
export async function validateConnector(connector: Connector, config: TaskConfig, check: OwnCheck): Promise<ValidateAnswer> {
  const choices = converterChoices(connector, config);
  const transforms = chooseTransforms(config);
  const spec: ConfigSpec = { ...connectorSpec(connector), ...converterSettingsSpec(choices), ...transformSettingsSpec(transforms) };
  const base = validateConfig(spec, config, {
    unknownKeys: 'warn',
    isKnownElsewhere: (name) =>
      isJudgedElsewhere(name) || isOfTransforms(name) || choices.some(({ setting }) => name.startsWith(`${setting}.`)),
  });
  const unsupported = unsupportedSettingsIn(config, spec);
  const wrong = new Set(base.fields.filter(({ state }) => state.errors.length > 0).map(({ state }) => state.name));
  const further = [
    ...choices.filter(({ plugin, setting }) => plugin === undefined && !wrong.has(setting)).map(unknownConverterError),
    ...choices.flatMap((choice) => unknownConverterSettings(choice, spec)),
    ...transformErrors(config, transforms),
    ...unsupported.errors,
    ...(connector.kind === 'sink' ? sinkErrors(config, wrong) : sourceErrors(config, wrong)),
    ...(await ownErrors(connector, config, spec, check)),
  ];
  const fields: { description?: ValidateAnswer['fields'][number]['description']; state: FieldState }[] = [
    ...base.fields,
    ...undefinedSettings(spec, config, further).map((state) => ({ state })),
  ];
  return {
    className: connector.name,
    type: connector.kind,
    errorCount: base.errorCount + further.length,
    groups: base.groups,
    fields: fields.map(({ description, state }) => {
      const messages = further.filter(({ field }) => field === state.name).map(({ message }) => message);
      const withErrors = messages.length === 0 ? state : { ...state, errors: [...state.errors, ...messages] };
      return description === undefined ? { state: withErrors } : { description, state: withErrors };
    }),
    warnings: [...base.warnings, ...unsupported.warnings.map(({ message }) => message)],
  };
}

/** Finds names behind a converter's prefix that the converter does not have: nothing else reads them. */
function unknownConverterSettings({ plugin, setting, settings }: ConverterChoice, spec: ConfigSpec): FieldError[] {
  if (plugin === undefined) return [];
  return Object.keys(settings)
    .filter((name) => !Object.hasOwn(spec, `${setting}.${name}`) && !isJudgedElsewhere(`${setting}.${name}`))
    .map((name) => {
      const field = `${setting}.${name}`;
      const known = Object.keys(plugin.spec);
      const nearest = nearestName(name, known);
      const hint = nearest === undefined ? '' : ` Did you mean ${setting}.${nearest}?`;
      const allowed = known.length === 0 ? 'It has no settings.' : `Its settings are: ${known.join(', ')}.`;
      return { field, message: `Configuration ${field} is not a setting of ${plugin.name}.${hint} ${allowed}` };
    });
}

/**
 * Takes the values of secret settings out of a text that a connector wrote. These are the settings that the connector defines as secret, and those that
 * nothing defines and whose names say so.
 */
export function withoutSecrets(text: string, connector: Connector | undefined, config: TaskConfig): string {
  return secretsHider(connector, config)(text);
}

/** Makes a {@link withoutSecrets} for many texts. */
export function secretsHider(connector: Connector | undefined, config: TaskConfig): (text: string) => string {
  const own = connector === undefined ? {} : connectorSpec(connector);
  const spec = { ...own, ...transformSettingsSpec(chooseTransforms(config)) };
  return secretsRemover(config, secretsAmong(describeSpec(spec)));
}

function sinkErrors(config: TaskConfig, wrong: ReadonlySet<string>): readonly FieldError[] {
  if (wrong.has('topics') || wrong.has('topics.regex')) return [];
  const names = ['topics', 'topics.regex'] as const;
  const parsed = parseConfig({ topics: sinkSettingsSpec[names[0]], 'topics.regex': sinkSettingsSpec[names[1]] }, config, {
    unknownKeys: 'ignore',
  });
  return parsed.ok ? topicsErrors(parsed.value.topics, parsed.value['topics.regex']) : [];
}

function sourceErrors(config: TaskConfig, wrong: ReadonlySet<string>): readonly FieldError[] {
  if (wrong.has('queue.by') || wrong.has('queue.by.header')) return [];
  const { 'queue.by': by, 'queue.by.header': header } = sourceSettingsSpec;
  const parsed = parseConfig({ 'queue.by': by, 'queue.by.header': header }, config, { unknownKeys: 'ignore' });
  return parsed.ok ? queueByErrors(parsed.value['queue.by'], parsed.value['queue.by.header']) : [];
}

/** The connector's own rules. They are asked only when each of its settings is right by itself. */
async function ownErrors(connector: Connector, config: TaskConfig, spec: ConfigSpec, check: OwnCheck): Promise<readonly FieldError[]> {
  if (!parseConfig(spec, config, { unknownKeys: 'ignore' }).ok) return [];
  const support = connector.kind === 'source' ? exactlyOnceErrors(connector, config) : [];
  const errors = [...support, ...(connector.validate === undefined ? [] : await check(connector, config))];
  if (errors.length === 0) return [];
  const hide = secretsHider(connector, config);
  return errors.map(({ field, message }) => ({ field, message: hide(message) }));
}

/** Makes what a connector's own check threw an error of the setting that names the connector. */
export function failedCheck(connector: Connector, error: unknown): readonly FieldError[] {
  if (isConfigError(error)) return error.errors;
  const why = isConnectError(error) ? error.message : String(error);
  return [{ field: 'connector.class', message: `${connector.name} could not check its settings: ${why}` }];
}

/** Finds settings that were given, or that an error names, and that nothing defines. */
function undefinedSettings(spec: ConfigSpec, config: TaskConfig, errors: readonly FieldError[]): readonly FieldState[] {
  const known = new Set(Object.entries(spec).flatMap(([name, { aliases }]) => [name, ...(aliases ?? [])]));
  const fields = new Set(Object.keys(spec));
  const names = new Set([
    ...Object.keys(config).filter((name) => !known.has(name)),
    ...errors.map(({ field }) => field).filter((name) => !fields.has(name)),
  ]);
  return [...names].map((name) => {
    const value = config[name];
    const shown = value === undefined ? null : isSecretName(name) ? HIDDEN_VALUE : hideEmbedded(value);
    return { name, value: shown, recommendedValues: [], errors: [], visible: true };
  });
}
