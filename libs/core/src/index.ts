export * from './model/cluster-state.js';
export * from './model/command.js';
export * from './model/connector.js';
export * from './model/entry.js';
export * from './model/member.js';
export * from './model/report.js';
