export { MessageAttributes } from './message-attributes.js';
export * from './dead-letter.js';
export * from './property-block.js';
export * from './queue-tag.js';
export * from './record-limits.js';
export * from './record-mapping.js';
export * from './reserved-properties.js';
export * from './source-barrier.js';
export * from './source-stamp.js';
