export { parseBase36 } from './base36.js';
export { MessageAttributes } from './message-attributes.js';
export * from './dead-letter.js';
export * from './letter-context.js';
export * from './property-block.js';
export * from './queue-tag.js';
export * from './raw-message.js';
export * from './record-limits.js';
export {
  type ConvertedRecord,
  type DecodedRecord,
  type MessageParts,
  messageToRecord,
  type OutgoingParts,
  type RecordOrigin,
  recordToMessage,
} from './record-mapping.js';
export * from './reserved-properties.js';
export * from './source-barrier.js';
export * from './source-stamp.js';
export * from './trace-context.js';
