import {
  ConfigError,
  type ConfigOf,
  type ConfigSpec,
  type FieldError,
  parseConfig,
  type RawConfig,
  requireConfig,
  type Transform,
  type TransformPlugin,
} from '@sluice/sdk';
import { KEY, type RecordPart, VALUE } from '../fields/record-part.js';
import { VERSION } from './plugin-names.js';

/** What a transform says of itself. */
export interface TransformDescription<S extends ConfigSpec> {
  readonly name: string;
  /** The packages that hold it in other systems. */
  readonly packages: readonly string[];
  readonly doc: string;
  readonly spec: S;
  /** What the spec cannot say, for settings that are right one by one. */
  readonly problems?: (settings: ConfigOf<S>) => readonly FieldError[];
}

export interface SimpleTransform<S extends ConfigSpec> extends TransformDescription<S> {
  readonly create: (settings: ConfigOf<S>) => Transform;
}

export interface PartTransform<S extends ConfigSpec> extends TransformDescription<S> {
  readonly create: (part: RecordPart, settings: ConfigOf<S>) => Transform;
}

/** Makes the plugin of a transform. */
export function transformPlugin<const S extends ConfigSpec>(description: SimpleTransform<S>): TransformPlugin {
  const { name, packages, create } = description;
  return pluginOf(description, name, packages, create);
}

/** Makes the two plugins of a transform that works on the key, `<name>$Key`, or on the value, `<name>$Value`. */
export function partPlugins<const S extends ConfigSpec>(description: PartTransform<S>): readonly TransformPlugin[] {
  const { name, packages, create } = description;
  return [KEY, VALUE].map((part) => {
    const suffix = part === KEY ? '$Key' : '$Value';
    return pluginOf(description, `${name}${suffix}`, packages, (settings: ConfigOf<S>) => create(part, settings));
  });
}

function pluginOf<S extends ConfigSpec>(
  { spec, doc, problems }: TransformDescription<S>,
  name: string,
  packages: readonly string[],
  create: (settings: ConfigOf<S>) => Transform,
): TransformPlugin {
  return {
    kind: 'transform',
    name,
    aliases: packages.map((each) => `${each}.${name}`),
    version: VERSION,
    doc,
    spec,
    ...(problems === undefined ? undefined : { validate: (given: RawConfig) => problemsIn(spec, problems, given) }),
    create: (given) => {
      const subject = `The configuration of ${name}`;
      const settings = requireConfig(subject, spec, given, { unknownKeys: 'ignore' });
      const found = problems?.(settings) ?? [];
      if (found.length > 0) throw new ConfigError(subject, found);
      return create(settings);
    },
  };
}

function problemsIn<S extends ConfigSpec>(
  spec: S,
  problems: (settings: ConfigOf<S>) => readonly FieldError[],
  given: RawConfig,
): readonly FieldError[] {
  const parsed = parseConfig(spec, given, { unknownKeys: 'ignore' });
  return parsed.ok ? problems(parsed.value) : [];
}
