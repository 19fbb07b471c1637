import type { Connector } from '@sluice/sdk';
import { verifySink } from './sink/verify-sink.connector.js';

/** What the runners load: package.json names this module. */
export const connectors: readonly Connector[] = [verifySink];
export { type ArrivalGap, MAX_ARRIVAL_GAPS } from './sink/arrival-gaps.js';
export { mergeReports } from './sink/report-file.js';
export type { ExpectedRecords, MissingRange, PartitionVerdict, Verdict } from './sink/verdict.js';
