import type { ConfigOf, ConfigSpec } from '@sluice/sdk';
import { IGNORE_DEFAULT_FIELD, registrySpec } from '../registry/registry-settings.js';

/** The names that Confluent's ProtobufConverter gives to what Connect's schemas have no place for. */
const NAMESPACE = 'io.confluent.connect.protobuf';
export const ENUM_PARAMETER = `${NAMESPACE}.Enum`;
export const TAG_PARAMETER = `${NAMESPACE}.Tag`;
export const UNION_PREFIX = `${NAMESPACE}.Union.`;
export const PRECISION_PARAMETER = 'connect.decimal.precision';
export const DEFAULT_NAME = 'ConnectDefault';
export const ENTRY_SUFFIX = 'Entry';
export const KEY_FIELD = 'key';
export const VALUE_FIELD = 'value';
/** The option that holds what Protobuf has no place for, in the file that declares it. */
export const FIELD_META = '(confluent.field_meta)';
export const META_FILE = 'confluent/meta.proto';

export const protobufConverterSpec = {
  ...registrySpec,
  'optional.for.nullables': {
    type: 'boolean',
    importance: 'medium',
    default: true,
    doc: 'Whether optional fields have the label `optional`. Without it, and without wrappers, a null of a scalar is read as its zero.',
  },
  'wrapper.for.nullables': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether optional scalars are wrapped in `google.protobuf.Int32Value` and its like, and read out of them.',
  },
  'generate.index.for.unions': {
    type: 'boolean',
    importance: 'low',
    default: true,
    doc: 'Whether the field of a `oneof` is named with its place among those of the message behind it, as in `choice_0`.',
  },
  'flatten.unions': {
    type: 'boolean',
    importance: 'low',
    default: false,
    doc: 'Whether the fields of a `oneof` are read as optional fields of the message, in place of a struct.',
  },
  'generate.struct.for.nulls': {
    type: 'boolean',
    importance: 'low',
    default: false,
    doc: 'Whether a message that is not set is read as a struct of its defaults, in place of null.',
  },
  'enhanced.protobuf.schema.support': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether the package is part of the names of schemas, in both directions.',
  },
  'scrub.invalid.names': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether characters that Protobuf does not allow in names become `_`. Otherwise such a name is an error.',
  },
  'ignore.default.for.nullables': IGNORE_DEFAULT_FIELD,
} as const satisfies ConfigSpec;

export type ProtobufSettings = ConfigOf<typeof protobufConverterSpec>;

/** Returns a name that Protobuf allows. @throws TypeError for a name that it does not allow, unless names are scrubbed */
export function protobufName(name: string, scrubs: boolean): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  if (!scrubs)
    throw new TypeError(`Protobuf does not allow the name ${JSON.stringify(name)}; scrub.invalid.names=true replaces what it forbids`);
  const scrubbed = name.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Za-z_]/.test(scrubbed) ? scrubbed : `x${scrubbed}`;
}

/** Returns the last part of a name with dots. */
export function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

export function isUnion(name: string | undefined): name is string {
  return name?.startsWith(UNION_PREFIX) === true;
}
