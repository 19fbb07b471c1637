import {
  type ConnectRecord,
  type ConnectValue,
  isConfigError,
  type RawConfig,
  type Schema,
  type SchemaAndValue,
  type Transform,
  type TransformPlugin,
} from '@sluice/sdk';
import { TRANSFORM_PLUGINS } from '../index.js';

/** What makes a record of a sink. */
export const PLACE = { queue: { topic: 't', brokerName: 'b', queueId: 3 }, offset: 7 };

/** Finds a plugin by its name or an alias. */
export function pluginOf(name: string): TransformPlugin {
  const plugin = TRANSFORM_PLUGINS.find((each) => each.name === name || each.aliases.includes(name));
  if (plugin === undefined) throw new Error(`no transform is called ${name}`);
  return plugin;
}

export function transformOf(name: string, settings: RawConfig): Transform {
  return pluginOf(name).create(settings);
}

/** Applies a transform to a record of topic `t`. */
export function applied(name: string, settings: RawConfig, record: Partial<ConnectRecord>): ConnectRecord | undefined {
  return transformOf(name, settings).apply({ topic: 't', value: null, ...record });
}

/** Applies a transform to a value, and returns what becomes of that. */
export function valueAfter(name: string, settings: RawConfig, value: ConnectValue, schema?: Schema): SchemaAndValue | undefined {
  const record = applied(name, settings, { value, ...(schema === undefined ? undefined : { schema }) });
  return record && { value: record.value, ...(record.schema === undefined ? undefined : { schema: record.schema }) };
}

/** Returns the messages of the errors that some settings have. */
export function problemsOf(name: string, settings: RawConfig): readonly string[] {
  try {
    transformOf(name, settings);
    return [];
  } catch (error) {
    if (isConfigError(error)) return error.errors.map(({ message }) => message);
    throw error;
  }
}
