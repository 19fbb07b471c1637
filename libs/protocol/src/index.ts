export * from './control/command.codec.js';
export * from './control/envelope.codec.js';
export * from './control/log-entry.codec.js';
export * from './control/malformed-message-error.js';
export * from './control/report.codec.js';
export * from './position/fold-positions.js';
export * from './position/position.codec.js';
export * from './topics.js';
