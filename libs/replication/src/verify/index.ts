export { comparedProperties } from './compared-properties.js';
export { type ComparedMessage, type Fingerprint, fingerprintOf } from './fingerprint.js';
export { DIFFERENCES, type FindingKind, Findings, type FindingsState, type FoundOfKind, UNKNOWNS } from './findings.js';
export { type ComparisonResult, comparisonStart, type ComparisonState, QueueComparison, type QueueBeginnings } from './queue-comparison.js';
export { rangeSizeFor } from './range-digests.js';
