import { type FieldError, nearestName, parseConfig, type PredicatePlugin, type RawConfig, type TransformPlugin } from '@sluice/sdk';
import { PREDICATE_PLUGINS, TRANSFORM_PLUGINS } from './transform-plugins.js';

/** A transform or a predicate that a configuration names. */
export interface StageChoice<Plugin extends TransformPlugin | PredicatePlugin> {
  readonly alias: string;
  /** What its settings begin with, for example `transforms.mask`. */
  readonly prefix: string;
  /** What the user gave as its class; `undefined` if nothing. */
  readonly className: string | undefined;
  /** `undefined` if there is none of that name. */
  readonly plugin: Plugin | undefined;
  /** Its own settings, without the prefix. */
  readonly settings: RawConfig;
}

export interface TransformChoice extends StageChoice<TransformPlugin> {
  /** The alias of the predicate that decides whether it is applied. */
  readonly predicate: string | undefined;
  readonly negate: string | undefined;
}

export interface TransformChoices {
  /** In the order in which they are applied. */
  readonly transforms: readonly TransformChoice[];
  readonly predicates: readonly StageChoice<PredicatePlugin>[];
}

/** Settings of every transform beside its plugin's own; Apache RocketMQ Connect calls the type `class`. */
const TRANSFORM_OWN = ['type', 'class', 'predicate', 'negate'];
const PREDICATE_OWN = ['type', 'class'];

/** Returns the transforms and predicates that a configuration means, also where they do not exist. */
export function chooseTransforms(config: RawConfig): TransformChoices {
  return {
    transforms: aliasesIn(config, 'transforms').map((alias) => ({
      ...choiceOf(config, `transforms.${alias}`, alias, TRANSFORM_PLUGINS, TRANSFORM_OWN),
      predicate: textOf(config, `transforms.${alias}.predicate`),
      negate: textOf(config, `transforms.${alias}.negate`),
    })),
    predicates: aliasesIn(config, 'predicates').map((alias) =>
      choiceOf(config, `predicates.${alias}`, alias, PREDICATE_PLUGINS, PREDICATE_OWN),
    ),
  };
}

/** Returns true for names that {@link transformErrors} or the choices' specs judge. */
export function isOfTransforms(name: string): boolean {
  return /^(transforms|predicates)(\.|$)/.test(name);
}

/** Finds what is wrong with transforms and predicates, beside values that do not fit the spec of a plugin. */
export function transformErrors(config: RawConfig, choices: TransformChoices): readonly FieldError[] {
  const { transforms, predicates } = choices;
  return [
    ...duplicateErrors('transforms', transforms),
    ...duplicateErrors('predicates', predicates),
    ...transforms.flatMap((choice) => pluginErrors(choice, TRANSFORM_PLUGINS, TRANSFORM_OWN, 'transforms')),
    ...predicates.flatMap((choice) => pluginErrors(choice, PREDICATE_PLUGINS, PREDICATE_OWN, 'predicates')),
    ...transforms.flatMap((choice) => predicateErrors(choice, predicates)),
    ...strayErrors(config, 'transforms', transforms),
    ...strayErrors(config, 'predicates', predicates),
  ];
}

function aliasesIn(config: RawConfig, setting: string): readonly string[] {
  return (config[setting] ?? '')
    .split(',')
    .map((alias) => alias.trim())
    .filter((alias) => alias !== '');
}

function textOf(config: RawConfig, name: string): string | undefined {
  return config[name]?.trim();
}

function choiceOf<Plugin extends TransformPlugin | PredicatePlugin>(
  config: RawConfig,
  prefix: string,
  alias: string,
  plugins: readonly Plugin[],
  own: readonly string[],
): StageChoice<Plugin> {
  const className = textOf(config, `${prefix}.type`) ?? textOf(config, `${prefix}.class`);
  const plugin = plugins.find(({ name, aliases }) => name === className || aliases.includes(className ?? ''));
  const settings = Object.entries(config)
    .filter(([name]) => name.startsWith(`${prefix}.`))
    .map(([name, value]) => [name.slice(prefix.length + 1), value] as const)
    .filter(([name]) => !own.includes(name));
  return { alias, prefix, className, plugin, settings: Object.fromEntries(settings) };
}

function duplicateErrors(setting: string, choices: readonly { readonly alias: string }[]): FieldError[] {
  const aliases = choices.map(({ alias }) => alias);
  const twice = [...new Set(aliases.filter((alias, at) => aliases.indexOf(alias) !== at))];
  if (twice.length === 0) return [];
  return [
    {
      field: setting,
      message: `Invalid value ${aliases.join(', ')} for configuration ${setting}: Duplicate alias provided: ${twice.join(', ')}`,
    },
  ];
}

function pluginErrors(
  { prefix, className, plugin, settings }: StageChoice<TransformPlugin | PredicatePlugin>,
  plugins: readonly (TransformPlugin | PredicatePlugin)[],
  own: readonly string[],
  kinds: string,
): FieldError[] {
  // That a type is missing, its own spec says.
  if (className === undefined) return [];
  if (plugin === undefined) {
    const field = `${prefix}.type`;
    const available = plugins.map(({ name }) => name).join(', ');
    const reason = `Class ${className} could not be found. Available ${kinds} are: ${available}.`;
    return [{ field, message: `Invalid value ${className} for configuration ${field}: ${reason}` }];
  }
  const known = Object.keys(plugin.spec);
  const unknown = Object.keys(settings)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const field = `${prefix}.${name}`;
      const nearest = nearestName(name, [...known, ...own]);
      const hint = nearest === undefined ? '' : ` Did you mean ${prefix}.${nearest}?`;
      const allowed = known.length === 0 ? 'It has no settings.' : `Its settings are: ${known.join(', ')}.`;
      return { field, message: `Configuration ${field} is not a setting of ${plugin.name}.${hint} ${allowed}` };
    });
  // Rules across settings are asked only when each setting is right by itself.
  const isParsed = parseConfig(plugin.spec, settings, { unknownKeys: 'ignore' }).ok;
  const further = isParsed ? (plugin.validate?.(settings) ?? []) : [];
  return [...unknown, ...further.map(({ field, message }) => ({ field: `${prefix}.${field}`, message: `${prefix}: ${message}` }))];
}

function predicateErrors({ prefix, predicate, negate }: TransformChoice, predicates: TransformChoices['predicates']): FieldError[] {
  const field = `${prefix}.predicate`;
  if (predicate === undefined) {
    if (negate === undefined) return [];
    const message = `Configuration ${prefix}.negate is given without ${field}, which names the predicate that is negated.`;
    return [{ field: `${prefix}.negate`, message }];
  }
  if (predicates.some(({ alias }) => alias === predicate)) return [];
  const defined = predicates.map(({ alias }) => alias).join(', ') || 'none';
  const reason = `The predicate is not defined. Those in predicates are: ${defined}.`;
  return [{ field, message: `Invalid value ${predicate} for configuration ${field}: ${reason}` }];
}

/** Finds settings of aliases that nothing lists: nothing else reads them. */
function strayErrors(
  config: RawConfig,
  setting: string,
  choices: readonly { readonly alias: string; readonly prefix: string }[],
): FieldError[] {
  const isListed = (name: string): boolean => choices.some(({ prefix }) => name.startsWith(`${prefix}.`));
  return Object.entries(config)
    .filter(([name, value]) => name.startsWith(`${setting}.`) && value !== null && value !== undefined && !isListed(name))
    .map(([field]) => {
      const listed = choices.map(({ alias }) => alias).join(', ') || 'none';
      return { field, message: `Configuration ${field} belongs to no alias in ${setting}; the aliases there are: ${listed}.` };
    });
}
