import { verifySink } from './verify-sink.connector.js';

/** Read by the runners, see package.json. */
export const connectors = [verifySink];
export { verifySinkSpec } from './spec.js';
export { type ArrivalGap, maxArrivalGaps } from './arrival-gaps.js';
export { mergeReports } from './merge-reports.js';
export type { ExpectedRecords, MissingRange, PartitionVerdict, Verdict } from './verdict.js';
