import type { PredicatePlugin } from '@sluice/sdk';
import { KAFKA, VERSION } from '../plugin/plugin-names.js';

export const recordIsTombstonePredicate: PredicatePlugin = {
  kind: 'predicate',
  name: 'RecordIsTombstone',
  aliases: [`${KAFKA}.predicates.RecordIsTombstone`],
  version: VERSION,
  doc: 'True for a record whose value is null.',
  spec: {},
  create: () => ({ test: ({ value }) => value === null }),
};
