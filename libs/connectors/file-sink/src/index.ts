import { fileStreamSink } from './file-sink.connector.js';

/** Read by the runners, see package.json. */
export const connectors = [fileStreamSink];
export { fileSinkSpec } from './spec.js';
