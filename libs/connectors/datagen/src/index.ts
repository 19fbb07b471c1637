import type { Connector } from '@sluice/sdk';
import { datagenSource } from './source/datagen-source.connector.js';

/** What the runners load: package.json names this module. */
export const connectors: readonly Connector[] = [datagenSource];
