import { parseLiteral, type RecordHeader } from '@sluice/sdk';
import { transformPlugin } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

export const insertHeaderTransform = transformPlugin({
  name: 'InsertHeader',
  packages: [KAFKA],
  doc: 'Adds a header behind those that the record has, also where one has the same key.',
  spec: {
    header: { type: 'string', importance: 'high', doc: 'The key of the header.', example: 'site' },
    'value.literal': {
      type: 'string',
      importance: 'high',
      doc: 'The value of the header. A text such as `true`, `12`, `1.5`, `2024-01-02`, `[1,2]` or `null` is read as what it means, every other one is a text.',
      example: 'eu-1',
    },
  },
  create: ({ header: key, 'value.literal': text }) => {
    const header: RecordHeader = { key, ...parseLiteral(text) };
    return { apply: (record) => ({ ...record, headers: [...(record.headers ?? []), header] }) };
  },
});
