import { fileStreamSource } from './file-source.connector.js';

/** Read by the runners, see package.json. */
export const connectors = [fileStreamSource];
export { fileSourceSpec } from './spec.js';
