import type { FieldError } from '@sluice/sdk';
import { JavaPattern, patternErrors } from '../java/java-pattern.js';
import { JavaReplacement, replacementErrors } from '../java/java-replacement.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';
import { renameFields } from './rename-fields.js';

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
    return renameFields(part, 'renaming fields', (name) => replacement.replaceAll(name));
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
