import type { ConfigSpec, Connector, ConverterPlugin, RawConfig } from '@sluice/sdk';
import type { PluginTable } from '../catalog/plugin-table.js';
import { sinkSettingsSpec, sourceSettingsSpec } from '../config/connector-settings.js';
import { effectiveSettings } from '../config/raw-rule.js';
import { chooseConverters, type ConverterChoice, DEFAULT_CONVERTER_NAME } from '../converters/converter-choice.js';
import { converterSettingsSpec } from '../converters/create-converters.js';
import { transformSettingsSpec } from '../transforms/create-transforms.js';
import { chooseTransforms, type TransformChoices, type TransformTables } from '../transforms/transform-choice.js';

/** What works on the records of a runner's connectors. */
export interface StageTables extends TransformTables {
  readonly converters: PluginTable<ConverterPlugin>;
}

/** A connector with all that its configuration chooses. */
export interface ConnectorDefinition {
  readonly converters: readonly ConverterChoice[];
  readonly transforms: TransformChoices;
  /** The settings of the connector and of all that is chosen. */
  readonly spec: ConfigSpec;
}

const NOTHING_CHOSEN = { converters: [], transforms: { transforms: [], predicates: [] } } as const;

/** Returns all settings of a connector: those that every connector of its kind has, with its own defaults of converters, and its own. */
export function connectorSpec(connector: Connector): ConfigSpec {
  const shared = connector.kind === 'source' ? sourceSettingsSpec : sinkSettingsSpec;
  if (connector.records === 'raw') return { ...effectiveSettings(connector, shared), ...connector.spec };
  const { key, value } = connector.defaultConverters ?? {};
  return {
    ...shared,
    'key.converter': { ...shared['key.converter'], default: key ?? DEFAULT_CONVERTER_NAME },
    'value.converter': { ...shared['value.converter'], default: value ?? DEFAULT_CONVERTER_NAME },
    ...connector.spec,
  };
}

/** Finds what a configuration chooses; without a connector too, where nobody knows its class. */
export function defineConnector(connector: Connector | undefined, config: RawConfig, tables: StageTables): ConnectorDefinition {
  if (connector?.records === 'raw') return { ...NOTHING_CHOSEN, spec: connectorSpec(connector) };
  const converters = chooseConverters(config, connector?.defaultConverters ?? {}, tables.converters);
  const transforms = chooseTransforms(config, tables);
  const own = connector === undefined ? {} : connectorSpec(connector);
  const spec = { ...own, ...converterSettingsSpec(converters), ...transformSettingsSpec(transforms) };
  return { converters, transforms, spec };
}
