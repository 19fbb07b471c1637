export { fileStreamSink } from './file-sink.connector.js';
export { fileSinkSpec } from './spec.js';
