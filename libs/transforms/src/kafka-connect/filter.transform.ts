import type { TransformPlugin } from '@sluice/sdk';
import { KAFKA, VERSION } from '../plugin/plugin-names.js';

export const filterTransform: TransformPlugin = {
  kind: 'transform',
  name: 'Filter',
  aliases: [`${KAFKA}.Filter`],
  version: VERSION,
  doc: 'Drops every record that it is applied to; use it with a predicate.',
  spec: {},
  create: () => ({ apply: () => undefined }),
};
