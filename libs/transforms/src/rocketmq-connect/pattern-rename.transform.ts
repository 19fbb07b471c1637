import { type FieldError, SchemaType } from '@sluice/sdk';
import { requireUniqueNames, SchemaCache, schemaBasics } from '../fields/schema-cache.js';
import { type FieldsInMaking, requireFields, setField, structField } from '../fields/structured-value.js';
import { JavaPattern, patternErrors } from '../java/java-pattern.js';
import { JavaReplacement, replacementErrors } from '../java/java-replacement.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';

const PURPOSE = 'renaming fields';

/** Java's flags of patterns, as the letters that embed them. */
const FLAGS: Readonly<Record<string, string>> = {
  CASE_INSENSITIVE: 'i',
  UNICODE_CASE: 'u',
  DOTALL: 's',
  MULTILINE: 'm',
  COMMENTS: 'x',
  UNIX_LINES: 'd',
};

export const patternRenameTransforms = partPlugins({
  name: 'PatternRename',
  packages: [ROCKETMQ],
  doc: 'Renames the fields whose names contain a match of a pattern; null stays null.',
  spec: {
    'field.pattern': { type: 'string', importance: 'high', nonEmpty: true, doc: 'A regular expression of Java.', example: '^prefix_' },
    'field.pattern.flags': {
      type: 'list',
      importance: 'low',
      default: [],
      doc: `Flags of the pattern: ${Object.keys(FLAGS).join(', ')}.`,
      example: 'CASE_INSENSITIVE,UNICODE_CASE',
    },
    'field.replacement': {
      type: 'string',
      importance: 'high',
      doc: 'What takes the place of each match. `$1` and `${name}` stand for groups, and a backslash takes the meaning of the next character.',
      example: '$1_',
    },
  },
  problems: ({ 'field.pattern': pattern, 'field.pattern.flags': flags, 'field.replacement': replacement }) => {
    const errors = [...flags.flatMap(flagErrors), ...patternErrors('field.pattern', pattern)];
    return errors.length > 0 ? errors : replacementErrors('field.replacement', replacement, new JavaPattern(pattern, lettersOf(flags)));
  },
  create: (part, { 'field.pattern': regex, 'field.pattern.flags': flags, 'field.replacement': text }) => {
    const replacement = new JavaReplacement(text, new JavaPattern(regex, lettersOf(flags)));
    const plans = new SchemaCache((schema) => {
      const fields = (schema.fields ?? []).map((field) => ({ name: replacement.replaceAll(field.name), from: field }));
      requireUniqueNames(fields.map(({ name }) => name));
      return {
        fields,
        schema: {
          type: SchemaType.struct,
          ...schemaBasics(schema),
          ...(schema.optional === true ? { optional: true } : undefined),
          fields: fields.map(({ name, from }) => ({ name, schema: from.schema })),
        },
      };
    });
    return {
      apply: (record) => {
        const value = part.valueOf(record);
        if (value === null) return record;
        const schema = part.schemaOf(record);
        const given = requireFields(value, schema, PURPOSE);
        const renamed: FieldsInMaking = {};
        if (schema === undefined) {
          for (const [name, each] of Object.entries(given)) setField(renamed, replacement.replaceAll(name), each);
          return part.replaced(record, renamed, undefined);
        }
        const plan = plans.of(schema);
        for (const { name, from } of plan.fields) setField(renamed, name, structField(given, from.name, from.schema, false));
        return part.replaced(record, renamed, plan.schema);
      },
    };
  },
});

function lettersOf(flags: readonly string[]): string {
  return flags.map((flag) => FLAGS[flag] ?? '').join('');
}

function flagErrors(flag: string): readonly FieldError[] {
  if (Object.hasOwn(FLAGS, flag)) return [];
  const reason = `allowed are ${Object.keys(FLAGS).join(', ')}`;
  return [{ field: 'field.pattern.flags', message: `Invalid value ${flag} for configuration field.pattern.flags: ${reason}` }];
}
