import type { FieldError, PredicatePlugin, RawConfig, TransformPlugin } from '@sluice/sdk';
import { choiceErrors, choosePlugin, type PluginChoice, type ChoosablePlugin } from '../catalog/plugin-choice.js';
import type { PluginTable } from '../catalog/plugin-table.js';

/** The transforms and predicates of a runner. */
export interface TransformTables {
  readonly transforms: PluginTable<TransformPlugin>;
  readonly predicates: PluginTable<PredicatePlugin>;
}

/** A transform or a predicate that a configuration names. */
export interface StageChoice<P extends ChoosablePlugin> extends PluginChoice<P> {
  readonly alias: string;
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
export function chooseTransforms(config: RawConfig, tables: TransformTables): TransformChoices {
  return {
    transforms: aliasesIn(config, 'transforms').map((alias) => ({
      ...choiceOf(tables.transforms, config, alias, TRANSFORM_OWN),
      predicate: textOf(config, `transforms.${alias}.predicate`),
      negate: textOf(config, `transforms.${alias}.negate`),
    })),
    predicates: aliasesIn(config, 'predicates').map((alias) => choiceOf(tables.predicates, config, alias, PREDICATE_OWN)),
  };
}

/** Returns true for names that {@link transformErrors} or the choices' specs judge. */
export function isOfTransforms(name: string): boolean {
  return /^(transforms|predicates)(\.|$)/.test(name);
}

/** Finds what is wrong with transforms and predicates, beside values that do not fit the spec of a plugin. */
export function transformErrors(config: RawConfig, choices: TransformChoices, tables: TransformTables): readonly FieldError[] {
  const { transforms, predicates } = choices;
  return [
    ...duplicateErrors('transforms', transforms),
    ...duplicateErrors('predicates', predicates),
    ...transforms.flatMap((choice) => choiceErrors(choice, tables.transforms)),
    ...predicates.flatMap((choice) => choiceErrors(choice, tables.predicates)),
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

function choiceOf<P extends ChoosablePlugin>(
  table: PluginTable<P>,
  config: RawConfig,
  alias: string,
  own: readonly string[],
): StageChoice<P> {
  const prefix = `${table.noun}.${alias}`;
  const className = textOf(config, `${prefix}.type`) ?? textOf(config, `${prefix}.class`);
  return { alias, ...choosePlugin(table, config, { setting: `${prefix}.type`, prefix, className, own }) };
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
