import { requireConfig, type SourceConnector } from '@sluice/sdk';
import { FlowInstance } from '../instance/flow-instance.js';
import { splitFlow } from './flow-split.js';
import { RocketMqSourceTask } from './rocketmq-source.task.js';
import { rocketMqSourceSpec } from './settings.js';
import { settingsErrors } from './settings-rules.js';

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
  spec: rocketMqSourceSpec,
  records: 'raw',
  validate: (config) =>
    settingsErrors(requireConfig('Configuration of the source', rocketMqSourceSpec, config, { unknownKeys: 'ignore' }), config),
  taskConfigs: splitFlow,
  createInstance: () => new FlowInstance(),
  exactlyOnceSupport: () => 'supported',
  createTask: () => new RocketMqSourceTask(),
};
