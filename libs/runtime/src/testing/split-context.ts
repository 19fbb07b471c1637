import type { SplitContext } from '@sluice/sdk';

const refuse = (): Promise<never> => Promise.reject(new Error('there are no pairs here'));

/** For connectors that agree upon no pairs. */
export const SPLITTING: SplitContext = {
  connectorName: 'copy',
  pairs: { read: refuse, extend: refuse },
  signal: new AbortController().signal,
};
