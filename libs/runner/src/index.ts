export * from './adapters/rocketmq-offset-store.js';
export * from './adapters/rocketmq-queue-messages.js';
export * from './adapters/rocketmq-record-producer.js';
export * from './positions/open-positions.js';
export * from './positions/rocketmq-position-store.js';
export * from './service/runner-service.js';
export * from './tasks/lease-keeper.js';
