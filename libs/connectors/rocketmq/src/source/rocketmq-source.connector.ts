import { readReplicatorAliases } from '@sluice/replication';
import { requireConfig, type SourceConnector, type TaskConfig } from '@sluice/sdk';
import { FlowInstance, SOURCE_WATCH } from '../instance/flow-instance.js';
import { OffsetSync } from '../offsets/offset-sync.js';
import { offsetSyncSpec } from '../offsets/settings.js';
import { ConfigSync } from '../sync/config-sync.js';
import { readSyncSettings, syncErrors, syncSpec, takesGroup } from '../sync/sync-settings.js';
import { splitSource } from '../flow/flow-split.js';
import { RocketMqSourceTask } from './rocketmq-source.task.js';
import { rocketMqSourceSpec } from '../flow/settings.js';
import { settingsErrors } from '../flow/settings-rules.js';

/** Copies topics of another RocketMQ cluster into the connector's data cluster, queue by queue, each message once. */
export const rocketMqSource: SourceConnector = {
  kind: 'source',
  name: 'RocketMQSource',
  aliases: [
    'RocketMQSourceConnector',
    'org.apache.rocketmq.replicator.ReplicatorSourceConnector',
    'org.apache.rocketmq.replicator.RmqSourceReplicator',
  ],
  version: '0.1.0',
  doc: 'Copies topics of another RocketMQ cluster, queue by queue: bodies, properties, order and message ids stay, and each message comes once.',
  spec: { ...rocketMqSourceSpec, ...syncSpec, ...offsetSyncSpec },
  records: 'raw',
  translateSettings: (config) => {
    const { settings, refusals, notes } = readReplicatorAliases(config);
    // Its values are those of `config`, or texts.
    return { settings: settings as TaskConfig, errors: refusals, notes };
  },
  validate: (config) => [
    ...settingsErrors(requireConfig('Configuration of the source', rocketMqSourceSpec, config, { unknownKeys: 'ignore' }), config),
    ...syncErrors(config),
  ],
  taskConfigs: splitSource,
  createInstance: () => new FlowInstance(SOURCE_WATCH, [new ConfigSync(), new OffsetSync(groupsOf)]),
  exactlyOnceSupport: () => 'supported',
  createTask: () => new RocketMqSourceTask(),
};

function groupsOf(config: TaskConfig): (group: string) => boolean {
  const { groups } = readSyncSettings('Configuration of the source', config);
  return (group) => takesGroup(groups, group);
}
