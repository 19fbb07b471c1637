import { type ConnectObject, type ConnectValue, isConnectObject, type Schema, SchemaType, type Transform } from '@sluice/sdk';
import { type FieldPath, fieldPathErrors, parseFieldPath, structValueAt, valueAt } from '../fields/field-path.js';
import type { RecordPart } from '../fields/record-part.js';
import { JavaPattern, patternErrors } from '../java/java-pattern.js';
import { linearMatcher } from '../java/linear-matcher.js';
import { FIELD_SYNTAX_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';

export const patternFilterTransforms = partPlugins({
  name: 'PatternFilter',
  packages: [ROCKETMQ],
  doc: 'Drops records in which one of some fields is a text that matches a pattern. Records without such fields stay.',
  spec: {
    pattern: {
      type: 'string',
      importance: 'high',
      nonEmpty: true,
      doc: 'A regular expression of Java that the whole text matches.',
      example: 'test-.*',
    },
    fields: {
      type: 'list',
      importance: 'high',
      nonEmpty: true,
      doc: 'The names of the fields, or the paths to them.',
      example: 'name,email',
    },
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ pattern, fields, 'field.syntax.version': syntax }) => [
    ...patternErrors('pattern', pattern),
    ...fieldPathErrors('fields', fields, syntaxOf(syntax)),
  ],
  create: (part, { pattern, fields, 'field.syntax.version': syntax }) => {
    const paths = fields.map((field) => parseFieldPath(field, syntaxOf(syntax)));
    return patternFilter(part, linearMatcher(new JavaPattern(pattern)), paths);
  },
});

function patternFilter(part: RecordPart, matches: (text: string) => boolean, paths: readonly FieldPath[]): Transform {
  return {
    apply: (record) => {
      const value = part.valueOf(record);
      if (!isConnectObject(value)) return record;
      const schema = part.schemaOf(record);
      const isMatch = paths.some((path) => {
        const text = textAt(value, schema, path);
        return text !== undefined && matches(text);
      });
      return isMatch ? undefined : record;
    },
  };
}

function textAt(value: ConnectObject, schema: Schema | undefined, path: FieldPath): string | undefined {
  const isStruct = schema?.type === SchemaType.struct;
  const found: ConnectValue = isStruct ? structValueAt(value, schema, path, false) : valueAt(value, path);
  return typeof found === 'string' ? found : undefined;
}
