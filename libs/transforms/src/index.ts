import type { PredicatePlugin, TransformPlugin } from '@sluice/sdk';
import { filterTransform } from './kafka-connect/filter.transform.js';
import { hasHeaderKeyPredicate } from './predicates/has-header-key.predicate.js';
import { recordIsTombstonePredicate } from './predicates/record-is-tombstone.predicate.js';
import { topicNameMatchesPredicate } from './predicates/topic-name-matches.predicate.js';

export { patternErrors, topicPattern, wholeName } from './java/topic-pattern.js';

/** The transforms that every runner has. */
export const TRANSFORM_PLUGINS: readonly TransformPlugin[] = [filterTransform];

/** The predicates that every runner has. */
export const PREDICATE_PLUGINS: readonly PredicatePlugin[] = [hasHeaderKeyPredicate, recordIsTombstonePredicate, topicNameMatchesPredicate];
