export * from './contract/contract-case.js';
export * from './contract/sink-contract.js';
export * from './contract/source-contract.js';
export * from './contract/task-contexts.js';
