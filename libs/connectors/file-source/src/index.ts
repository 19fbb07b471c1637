export { fileStreamSource } from './file-source.connector.js';
export { fileSourceSpec } from './spec.js';
