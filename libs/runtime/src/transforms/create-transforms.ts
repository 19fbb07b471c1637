import { ConfigError, type ConfigSpec, type Field, type FieldError, parseConfig, type RawConfig } from '@sluice/sdk';
import { chooseTransforms, type StageChoice, type TransformChoices, transformErrors } from './transform-choice.js';
import { TransformChain } from './transform-chain.js';

const TYPE_DOC = 'Its class: a name, or one of the names that it has in other systems.';

/** Returns the settings of the transforms and predicates that a configuration chooses, under the names that they have in it. */
export function transformSettingsSpec({ transforms, predicates }: TransformChoices): ConfigSpec {
  const spec: Record<string, Field> = {};
  for (const { alias, prefix, plugin } of transforms) {
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
    Object.assign(spec, fieldsOf(prefix, group, plugin?.spec ?? {}));
  }
  for (const { alias, prefix, plugin } of predicates) {
    const group = `Predicates: ${alias}`;
    Object.assign(spec, typeField(prefix, group), fieldsOf(prefix, group, plugin?.spec ?? {}));
  }
  return spec;
}

/**
 * Makes the chain of transforms that a connector's configuration names.
 *
 * @throws ConfigError naming every unknown transform and predicate and every wrong setting of one
 */
export function createTransforms(config: RawConfig): TransformChain {
  const choices = chooseTransforms(config);
  const parsed = parseConfig(transformSettingsSpec(choices), config, { unknownKeys: 'ignore' });
  const errors: readonly FieldError[] = [...(parsed.ok ? [] : parsed.errors), ...transformErrors(config, choices)];
  if (errors.length > 0) throw new ConfigError('The choice of transforms', errors);
  const predicates = new Map(
    choices.predicates.flatMap(({ alias, plugin, settings }) => (plugin ? [[alias, plugin.create(settings)]] : [])),
  );
  return new TransformChain(
    choices.transforms.flatMap(({ alias, plugin, settings, predicate, negate }) => {
      if (plugin === undefined) return [];
      const condition = predicate === undefined ? undefined : predicates.get(predicate);
      const transform = plugin.create(settings);
      const isNegated = negate?.toLowerCase() === 'true';
      return condition === undefined ? [{ alias, transform }] : [{ alias, transform, condition: { predicate: condition, isNegated } }];
    }),
  );
}

function typeField(prefix: string, group: string): ConfigSpec {
  return { [`${prefix}.type`]: { type: 'class', importance: 'high', aliases: [`${prefix}.class`], doc: TYPE_DOC, group } };
}

function fieldsOf(prefix: StageChoice<never>['prefix'], group: string, spec: ConfigSpec): ConfigSpec {
  return Object.fromEntries(
    Object.entries(spec).map(([name, field]) => [
      `${prefix}.${name}`,
      { ...field, group, ...(field.aliases === undefined ? {} : { aliases: field.aliases.map((alias) => `${prefix}.${alias}`) }) },
    ]),
  );
}
