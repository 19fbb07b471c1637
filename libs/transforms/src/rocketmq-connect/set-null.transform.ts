import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';

const unused = (example: string) =>
  ({
    type: 'string',
    importance: 'low',
    optional: true,
    doc: 'Has no effect. Apache RocketMQ Connect demands it and does not use it.',
    example,
  }) as const;

export const setNullTransforms = partPlugins({
  name: 'SetNull',
  packages: [ROCKETMQ],
  doc: 'Makes the part of the record null, without a schema. Apache RocketMQ Connect does so for keys alone.',
  spec: { 'field.pattern': unused('.*'), 'field.pattern.flags': unused('DOTALL'), 'field.replacement': unused('x') },
  create: (part) => ({ apply: (record) => part.replaced(record, null, undefined) }),
});
