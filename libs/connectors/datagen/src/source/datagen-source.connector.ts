import { type FieldError, requireConfig, type SourceConnector, type TaskConfig } from '@sluice/sdk';
import { DatagenSourceTask } from './datagen-source.task.js';
import { dealPartitions } from './numbering.js';
import { schemaErrors, schemaSetting } from './schema-settings.js';
import { datagenSourceSpec } from './settings.js';

const parse = (config: TaskConfig): ReturnType<typeof requireConfig<typeof datagenSourceSpec>> =>
  requireConfig('Configuration of the generator', datagenSourceSpec, config, { unknownKeys: 'ignore' });

/** Makes numbered records with checksums, or structs by a schema, at a given rate, as the load of a test or trial. */
export const datagenSource: SourceConnector = {
  kind: 'source',
  name: 'DatagenSource',
  aliases: [],
  version: '0.1.0',
  doc: 'Makes numbered records with checksums, or structs by a schema, at a given rate or as fast as possible.',
  spec: datagenSourceSpec,
  validate: (config) => {
    const parsed = parse(config);
    return [...schemaErrors(config, parsed), ...(schemaSetting(parsed) === undefined ? keysErrors(parsed) : [])];
  },
  taskConfigs: (config, maxTasks) =>
    dealPartitions(parse(config).partitions, maxTasks).map((partitions) => ({
      ...config,
      'task.partitions': partitions.join(','),
    })),
  defaultConverters: { key: 'StringConverter', value: 'ByteArrayConverter' },
  exactlyOnceSupport: () => 'supported',
  createTask: () => new DatagenSourceTask(),
};

function keysErrors({ keys, partitions }: ReturnType<typeof parse>): readonly FieldError[] {
  if (keys >= partitions) return [];
  return [
    {
      field: 'keys',
      message: `Invalid value ${keys} for configuration keys: Value must be at least the number of partitions, ${partitions}`,
    },
  ];
}
