import type { PredicatePlugin, TransformPlugin } from '@sluice/sdk';
import { castTransforms } from './kafka-connect/cast.transform.js';
import { dropHeadersTransform } from './kafka-connect/drop-headers.transform.js';
import { extractFieldTransforms } from './kafka-connect/extract-field.transform.js';
import { filterTransform } from './kafka-connect/filter.transform.js';
import { flattenTransforms } from './kafka-connect/flatten.transform.js';
import { headerFromTransforms } from './kafka-connect/header-from.transform.js';
import { hoistFieldTransforms } from './kafka-connect/hoist-field.transform.js';
import { insertFieldTransforms } from './kafka-connect/insert-field.transform.js';
import { insertHeaderTransform } from './kafka-connect/insert-header.transform.js';
import { maskFieldTransforms } from './kafka-connect/mask-field.transform.js';
import { regexRouterTransform } from './kafka-connect/regex-router.transform.js';
import { replaceFieldTransforms } from './kafka-connect/replace-field.transform.js';
import { setSchemaMetadataTransforms } from './kafka-connect/set-schema-metadata.transform.js';
import { timestampConverterTransforms } from './kafka-connect/timestamp-converter.transform.js';
import { timestampRouterTransform } from './kafka-connect/timestamp-router.transform.js';
import { valueToKeyTransform } from './kafka-connect/value-to-key.transform.js';
import { jsonataTransform } from './jsonata/jsonata.transform.js';
import { hasHeaderKeyPredicate } from './predicates/has-header-key.predicate.js';
import { recordIsTombstonePredicate } from './predicates/record-is-tombstone.predicate.js';
import { topicNameMatchesPredicate } from './predicates/topic-name-matches.predicate.js';
import { changeCaseTransforms } from './rocketmq-connect/change-case.transform.js';
import { extractNestedFieldTransforms } from './rocketmq-connect/extract-nested-field.transform.js';
import { patternFilterTransforms } from './rocketmq-connect/pattern-filter.transform.js';
import { patternRenameTransforms } from './rocketmq-connect/pattern-rename.transform.js';
import { setMaximumPrecisionTransforms } from './rocketmq-connect/set-maximum-precision.transform.js';
import { setNullTransforms } from './rocketmq-connect/set-null.transform.js';

export { JavaPattern, patternErrors } from './java/java-pattern.js';

/** The transforms that every runner has. */
export const TRANSFORM_PLUGINS: readonly TransformPlugin[] = [
  ...castTransforms,
  dropHeadersTransform,
  ...extractFieldTransforms,
  filterTransform,
  ...flattenTransforms,
  ...headerFromTransforms,
  ...hoistFieldTransforms,
  ...insertFieldTransforms,
  insertHeaderTransform,
  ...maskFieldTransforms,
  regexRouterTransform,
  ...replaceFieldTransforms,
  ...setSchemaMetadataTransforms,
  ...timestampConverterTransforms,
  timestampRouterTransform,
  valueToKeyTransform,
  ...changeCaseTransforms,
  ...extractNestedFieldTransforms,
  ...patternFilterTransforms,
  ...patternRenameTransforms,
  ...setMaximumPrecisionTransforms,
  ...setNullTransforms,
  jsonataTransform,
];

/** The predicates that every runner has. */
export const PREDICATE_PLUGINS: readonly PredicatePlugin[] = [hasHeaderKeyPredicate, recordIsTombstonePredicate, topicNameMatchesPredicate];
