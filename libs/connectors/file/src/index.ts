import type { Connector } from '@sluice/sdk';
import { fileStreamSink } from './sink/file-sink.connector.js';
import { fileStreamSource } from './source/file-source.connector.js';

/** What the runners load: package.json names this module. */
export const connectors: readonly Connector[] = [fileStreamSource, fileStreamSink];
