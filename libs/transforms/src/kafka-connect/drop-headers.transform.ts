import { transformPlugin } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

export const dropHeadersTransform = transformPlugin({
  name: 'DropHeaders',
  packages: [KAFKA],
  doc: 'Removes all headers with one of some keys.',
  spec: {
    headers: {
      type: 'list',
      importance: 'high',
      nonEmpty: true,
      doc: 'The keys of the headers to remove.',
      example: 'traceparent,internal-id',
    },
  },
  create: ({ headers }) => {
    const dropped = new Set(headers);
    return {
      apply: (record) => {
        const kept = record.headers?.filter(({ key }) => !dropped.has(key));
        return kept === undefined || kept.length === record.headers?.length ? record : { ...record, headers: kept };
      },
    };
  },
});
