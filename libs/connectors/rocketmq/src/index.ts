import type { Connector } from '@sluice/sdk';

/** What the runners load: package.json names this module. */
export const connectors: readonly Connector[] = [];
