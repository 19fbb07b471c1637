import type { Connector } from '@sluice/sdk';
import { rocketMqSink } from './sink/rocketmq-sink.connector.js';
import { rocketMqSource } from './source/rocketmq-source.connector.js';

/** What the runners load: package.json names this module. */
export const connectors: readonly Connector[] = [rocketMqSource, rocketMqSink];
