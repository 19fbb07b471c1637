import { ConfigError, type ConfigSpec, type Field, type FieldError, parseConfig, type RawConfig } from '@sluice/sdk';
import { choiceSpec } from '../catalog/plugin-choice.js';
import { chooseTransforms, type TransformChoices, transformErrors, type TransformTables } from './transform-choice.js';
import { TransformChain } from './transform-chain.js';
import { BUILT_IN_PREDICATES, BUILT_IN_TRANSFORMS } from './transform-plugins.js';

const BUILT_IN: TransformTables = { transforms: BUILT_IN_TRANSFORMS, predicates: BUILT_IN_PREDICATES };
const TYPE_DOC = 'Its class: a name, or one of the names that it has in other systems.';

/** Returns the settings of the transforms and predicates that a configuration chooses, under the names that they have in it. */
export function transformSettingsSpec({ transforms, predicates }: TransformChoices): ConfigSpec {
  const spec: Record<string, Field> = {};
  for (const choice of transforms) {
    const { alias, prefix } = choice;
    const group = `Transforms: ${alias}`;
    Object.assign(spec, typeField(prefix, group));
    spec[`${prefix}.predicate`] = {
      type: 'string',
      importance: 'medium',
      optional: true,
      doc: 'The alias of the predicate that decides whether the transform is applied to a record.',
      group,
    };
    spec[`${prefix}.negate`] = {
      type: 'boolean',
      importance: 'medium',
      default: false,
      doc: 'Whether the transform is applied to the records that the predicate is false for.',
      group,
    };
    Object.assign(spec, choiceSpec(choice, group));
  }
  for (const choice of predicates) {
    const group = `Predicates: ${choice.alias}`;
    Object.assign(spec, typeField(choice.prefix, group), choiceSpec(choice, group));
  }
  return spec;
}

/**
 * Makes the chain of transforms that a connector's configuration names.
 *
 * @param tables the transforms and predicates that there are; by default those that every runner has
 * @throws ConfigError naming every unknown transform and predicate and every wrong setting of one
 */
export function createTransforms(config: RawConfig, tables: TransformTables = BUILT_IN): TransformChain {
  const choices = chooseTransforms(config, tables);
  const parsed = parseConfig(transformSettingsSpec(choices), config, { unknownKeys: 'ignore' });
  const errors: readonly FieldError[] = [...(parsed.ok ? [] : parsed.errors), ...transformErrors(config, choices, tables)];
  if (errors.length > 0) throw new ConfigError('The choice of transforms', errors);
  const predicates = new Map(
    choices.predicates.flatMap(({ alias, plugin, settings }) =>
      plugin ? [[alias, { predicate: plugin.create(settings), className: plugin.name }]] : [],
    ),
  );
  return new TransformChain(
    choices.transforms.flatMap(({ alias, plugin, settings, predicate, negate }) => {
      if (plugin === undefined) return [];
      const condition = predicate === undefined ? undefined : predicates.get(predicate);
      const step = { alias, transform: plugin.create(settings), className: plugin.name };
      const isNegated = negate?.toLowerCase() === 'true';
      return condition === undefined ? [step] : [{ ...step, condition: { ...condition, isNegated } }];
    }),
  );
}

function typeField(prefix: string, group: string): ConfigSpec {
  return { [`${prefix}.type`]: { type: 'class', importance: 'high', aliases: [`${prefix}.class`], doc: TYPE_DOC, group } };
}
