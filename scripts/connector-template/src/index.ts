import type { Connector } from '@sluice/sdk';
import { sampleSink } from './sink/sample-sink.connector.js';
import { sampleSource } from './source/sample-source.connector.js';

/** What the runners load: package.json names this module. */
export const connectors: readonly Connector[] = [sampleSource, sampleSink];
