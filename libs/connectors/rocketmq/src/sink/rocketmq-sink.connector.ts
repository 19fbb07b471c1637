import type { SinkConnector } from '@sluice/sdk';
import { splitSink } from '../flow/flow-split.js';
import { rocketMqSinkSpec } from '../flow/settings.js';
import { sinkErrors } from '../flow/sink-settings.js';
import { FlowInstance, SINK_WATCH } from '../instance/flow-instance.js';
import { RocketMqSinkTask } from './rocketmq-sink.task.js';

/** Copies topics of the connector's data cluster into another RocketMQ cluster, queue by queue, each message once. */
export const rocketMqSink: SinkConnector = {
  kind: 'sink',
  name: 'RocketMQSink',
  aliases: ['RocketMQSinkConnector'],
  version: '0.1.0',
  doc: 'Copies topics into another RocketMQ cluster, queue by queue: bodies, properties, order and message ids stay, and each message comes once.',
  spec: rocketMqSinkSpec,
  records: 'raw',
  validate: sinkErrors,
  taskConfigs: splitSink,
  createInstance: () => new FlowInstance(SINK_WATCH),
  createTask: () => new RocketMqSinkTask(),
};
