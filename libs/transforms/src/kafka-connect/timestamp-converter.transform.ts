import type { ConnectValue, FieldError, Transform } from '@sluice/sdk';
import { type FieldPath, fieldPathErrors, parseFieldPath } from '../fields/field-path.js';
import { changeMap, type FieldChange, pathTree, planStruct } from '../fields/path-tree.js';
import type { RecordPart } from '../fields/record-part.js';
import { SchemaCache } from '../fields/schema-cache.js';
import { requireFields } from '../fields/structured-value.js';
import { datePatternErrors, JavaDateFormat } from '../java/java-date-format.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';
import { convertTimestamp, TIMESTAMP_TYPES, type TimestampConversion, timestampSchema, UNIX_PRECISIONS } from './timestamp-value.js';

const PURPOSE = 'converting timestamp formats';

export const timestampConverterTransforms = partPlugins({
  name: 'TimestampConverter',
  packages: [KAFKA],
  doc: 'Converts a timestamp between texts, Unix times and dates: a field, or the whole part of the record.',
  spec: {
    field: {
      type: 'string',
      importance: 'high',
      default: '',
      doc: 'The name of the field, or the path to it; without one the whole part is a timestamp.',
      example: 'created',
    },
    'target.type': {
      type: 'string',
      importance: 'high',
      oneOf: TIMESTAMP_TYPES,
      doc: 'What the timestamp becomes: a text, a whole number since the epoch, a day, a time of day, or a moment.',
      example: 'Timestamp',
    },
    format: {
      type: 'string',
      importance: 'medium',
      default: '',
      doc: "How texts are read and written, in UTC unless they name a zone: a pattern of Java's SimpleDateFormat.",
      example: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    },
    'unix.precision': {
      type: 'string',
      importance: 'low',
      default: 'milliseconds',
      oneOf: UNIX_PRECISIONS,
      doc: 'The unit of whole numbers, read and written. Parts of a millisecond are cut off.',
      example: 'microseconds',
    },
    'replace.null.with.default': REPLACE_NULL_FIELD,
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ field, format, 'target.type': target, 'field.syntax.version': syntax }) => [
    ...fieldPathErrors('field', field === '' ? [] : [field], syntaxOf(syntax)),
    ...formatErrors(format, target),
  ],
  create: (part, settings) => {
    const { field, format, 'target.type': target, 'unix.precision': precision, 'replace.null.with.default': replacesNull } = settings;
    const conversion = { target, precision, format: format.trim() === '' ? undefined : new JavaDateFormat(format) };
    if (field === '') return convertWhole(part, conversion);
    return convertField(part, parseFieldPath(field, syntaxOf(settings['field.syntax.version'])), conversion, replacesNull);
  },
});

function convertWhole(part: RecordPart, conversion: TimestampConversion): Transform {
  return {
    apply: (record) => {
      const value = part.valueOf(record);
      const schema = part.schemaOf(record);
      if (value === null && schema === undefined) return record;
      const converted = convertTimestamp(value, schema, conversion);
      return part.replaced(record, converted, schema && timestampSchema(conversion.target, schema.optional === true));
    },
  };
}

function convertField(part: RecordPart, path: FieldPath, conversion: TimestampConversion, replacesNull: boolean): Transform {
  const tree = pathTree([[path, true] as const]);
  const change: FieldChange<true> = {
    field: ({ name, schema }) => ({ name, schema: timestampSchema(conversion.target, schema.optional === true) }),
    value: (value, _, schema) => convertTimestamp(value, schema, conversion),
  };
  const plans = new SchemaCache((schema) => planStruct(schema, tree, change, { replacesNull, keepsOptional: true }));
  const mapChange = { value: (value: ConnectValue) => convertTimestamp(value, undefined, conversion), addsMissing: true };
  return {
    apply: (record) => {
      const value = part.valueOf(record);
      const schema = part.schemaOf(record);
      if (schema === undefined) {
        return value === null
          ? record
          : part.replaced(record, changeMap(requireFields(value, undefined, PURPOSE), tree, mapChange), undefined);
      }
      const plan = plans.of(schema);
      return part.replaced(record, value === null ? null : plan.copy(requireFields(value, schema, PURPOSE)), plan.schema);
    },
  };
}

function formatErrors(format: string, target: string): readonly FieldError[] {
  const problem = (reason: string): FieldError => ({
    field: 'format',
    message: `Invalid value ${format} for configuration format: ${reason}`,
  });
  if (format.trim() === '') {
    return target === 'string' ? [problem('TimestampConverter requires format option to be specified when using string timestamps')] : [];
  }
  const errors = datePatternErrors('format', format);
  if (errors.length > 0 || target === 'string') return errors;
  const { unparsable } = new JavaDateFormat(format);
  return unparsable === undefined ? [] : [problem(unparsable)];
}
