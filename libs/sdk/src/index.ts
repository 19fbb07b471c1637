export * from './config/config-spec.js';
export * from './plugin.js';
export * from './record.js';
export * from './schema/schema.js';
export * from './sink/sink-task.js';
export * from './source/source-task.js';
export * from './task-context.js';
