export * from './messages/hop-list.js';
export * from './messages/property-copier.js';
export * from './messages/property-rules.js';
export * from './messages/queue-identity.js';
export * from './messages/read-position.js';
export * from './queues/divide-queues.js';
export * from './queues/propose-pairs.js';
export * from './queues/queue-losses.js';
