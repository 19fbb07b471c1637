import type { FieldError, Transform } from '@sluice/sdk';
import { changeFields } from '../fields/change-fields.js';
import { fieldPathErrors, type FieldSyntax, parseFieldPath } from '../fields/field-path.js';
import { type PathTree, pathTree } from '../fields/path-tree.js';
import type { RecordPart } from '../fields/record-part.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';
import { filterMap, planFilter } from './field-filter.js';

const PURPOSE = 'field replacement';

export const replaceFieldTransforms = partPlugins({
  name: 'ReplaceField',
  packages: [KAFKA],
  doc: 'Removes or renames fields.',
  spec: {
    exclude: {
      type: 'list',
      importance: 'medium',
      default: [],
      aliases: ['blacklist'],
      doc: 'The fields to remove, also where `include` names them.',
      example: 'password,internal',
    },
    include: {
      type: 'list',
      importance: 'medium',
      default: [],
      aliases: ['whitelist'],
      doc: 'The fields to keep; without any all are kept.',
      example: 'id,name',
    },
    renames: {
      type: 'list',
      importance: 'medium',
      default: [],
      doc: 'Fields with their new names. With paths the new name takes the place of the last name on the path.',
      example: 'old:new,first_name:firstName',
    },
    'replace.null.with.default': REPLACE_NULL_FIELD,
    'field.syntax.version': FIELD_SYNTAX_FIELD,
  },
  problems: ({ exclude, include, renames, 'field.syntax.version': given }) => {
    const syntax = syntaxOf(given);
    const wrong = renames.flatMap(renameErrors);
    return [
      ...fieldPathErrors('exclude', exclude, syntax),
      ...fieldPathErrors('include', include, syntax),
      ...(wrong.length > 0
        ? wrong
        : fieldPathErrors(
            'renames',
            renames.map((rename) => partsOf(rename)[0] ?? ''),
            syntax,
          )),
    ];
  },
  create: (part, settings) => {
    const syntax = syntaxOf(settings['field.syntax.version']);
    return replaceFields(part, settings['replace.null.with.default'], {
      exclude: treeOf(settings.exclude, syntax),
      include: settings.include.length === 0 ? undefined : treeOf(settings.include, syntax),
      renames: pathTree(settings.renames.map(partsOf).map(([from = '', to = '']) => [parseFieldPath(from, syntax), to] as const)),
    });
  },
});

function replaceFields(part: RecordPart, replacesNull: boolean, filter: Parameters<typeof planFilter>[1]): Transform {
  return changeFields(part, {
    purpose: PURPOSE,
    planOf: (schema) => planFilter(schema, filter, replacesNull, false),
    ofMap: (fields) => filterMap(fields, filter),
  });
}

function treeOf(fields: readonly string[], syntax: FieldSyntax): PathTree<true> {
  return pathTree(fields.map((field) => [parseFieldPath(field, syntax), true] as const));
}

function partsOf(rename: string): readonly string[] {
  return rename.split(':');
}

function renameErrors(rename: string): readonly FieldError[] {
  const [from = '', to = '', ...more] = partsOf(rename);
  if (from !== '' && to !== '' && more.length === 0) return [];
  const reason = 'Invalid rename mapping: allowed are the name of a field and a new one, with one colon between';
  return [{ field: 'renames', message: `Invalid value ${rename} for configuration renames: ${reason}` }];
}
