import { type PredicatePlugin, requireConfig } from '@sluice/sdk';
import { KAFKA, VERSION } from '../plugin/plugin-names.js';

const hasHeaderKeySpec = {
  name: { type: 'string', importance: 'high', nonEmpty: true, doc: 'The key of the header.', example: 'traceparent' },
} as const;

export const hasHeaderKeyPredicate: PredicatePlugin = {
  kind: 'predicate',
  name: 'HasHeaderKey',
  aliases: [`${KAFKA}.predicates.HasHeaderKey`],
  version: VERSION,
  doc: 'True for a record with at least one header of a key.',
  spec: hasHeaderKeySpec,
  create: (settings) => {
    const { name } = requireConfig('The configuration of HasHeaderKey', hasHeaderKeySpec, settings, { unknownKeys: 'ignore' });
    return { test: ({ headers }) => headers?.some(({ key }) => key === name) === true };
  },
};
