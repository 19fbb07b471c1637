import { type ConnectRecord, type ConnectValue, type FieldError, type Schema, schemas, type Transform } from '@sluice/sdk';
import { changeFields } from '../fields/change-fields.js';
import { fieldPathErrors, type FieldSyntax, parseFieldPath } from '../fields/field-path.js';
import { pathTree } from '../fields/path-tree.js';
import type { RecordPart } from '../fields/record-part.js';
import { requireUniqueNames } from '../fields/schema-cache.js';
import { sinkRecord } from '../fields/sink-place.js';
import { unfit } from '../fields/transform-error.js';
import { FIELD_SYNTAX_FIELD, REPLACE_NULL_FIELD, syntaxOf } from '../plugin/common-fields.js';
import { partPlugins } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';
import { insertIntoMap, type Insertion, planInsertions } from './insertions.js';

const PURPOSE = 'field insertion';
const OPTIONALITY = 'A `!` behind the name makes the field required, a `?` optional as it is by default.';

const nameField = (what: string, example: string) =>
  ({
    type: 'string',
    importance: 'medium',
    optional: true,
    nonEmpty: true,
    doc: `The name of the field for ${what}. ${OPTIONALITY}`,
    example,
  }) as const;

export const insertFieldTransforms = partPlugins({
  name: 'InsertField',
  packages: [KAFKA],
  doc: 'Adds fields with what the record says of itself, or with a fixed text. A null part of the record stays null.',
  spec: {
    'topic.field': nameField("the record's topic", 'topic'),
    'partition.field': nameField("the number of the queue that a sink's record comes from; records of sources have none", 'queue?'),
    'offset.field': nameField("the offset of a sink's record in its queue; a record of a source is refused", 'offset!'),
    'timestamp.field': nameField("the record's timestamp", 'ts'),
    'static.field': nameField('a fixed text', 'site'),
    'static.value': { type: 'string', importance: 'medium', optional: true, doc: 'The fixed text.', example: 'eu-1' },
    'replace.null.with.default': REPLACE_NULL_FIELD,
    'field.syntax.version': {
      ...FIELD_SYNTAX_FIELD,
      doc: `${FIELD_SYNTAX_FIELD.doc} Structs and maps on the path that are missing are made; nothing is added into one that is null.`,
    },
  },
  problems: (settings) => {
    const { 'static.field': field, 'static.value': value, 'field.syntax.version': syntax } = settings;
    const names = NAME_SETTINGS.flatMap((setting) => (settings[setting] === undefined ? [] : [[setting, settings[setting]] as const]));
    const errors: FieldError[] = names.flatMap(([setting, name]) => fieldPathErrors(setting, [nameOf(name)], syntaxOf(syntax)));
    for (const [setting, name] of names) {
      if (nameOf(name) === '')
        errors.push({ field: setting, message: `Invalid value ${name} for configuration ${setting}: a name is missing` });
    }
    if (names.length === 0)
      errors.push({ field: 'static.field', message: `No field insertion configured; set one of ${NAME_SETTINGS.join(', ')}` });
    if (field !== undefined && value === undefined) {
      errors.push({ field: 'static.value', message: `No value specified for static field ${nameOf(field)}: set static.value` });
    }
    return errors;
  },
  create: (part, settings) => {
    const fixed = settings['static.value'];
    const given = {
      'topic.field': { schema: schemas.string, valueOf: topicOf },
      'partition.field': { schema: schemas.int32, valueOf: (record: ConnectRecord) => sinkRecord(record)?.queue.queueId },
      'offset.field': { schema: schemas.int64, valueOf: offsetOf },
      'timestamp.field': { schema: schemas.timestamp, valueOf: timestampOf },
      'static.field': { schema: schemas.string, valueOf: () => fixed },
    };
    const syntax = syntaxOf(settings['field.syntax.version']);
    const insertions = NAME_SETTINGS.flatMap((setting) => {
      const name = settings[setting];
      return name === undefined ? [] : [insertionOf(setting, name, syntax, given[setting])];
    });
    return insertFields(part, insertions, settings['replace.null.with.default']);
  },
});

const NAME_SETTINGS = ['topic.field', 'partition.field', 'offset.field', 'timestamp.field', 'static.field'] as const;

function insertFields(part: RecordPart, insertions: ReturnType<typeof insertionOf>[], replacesNull: boolean): Transform {
  const tree = pathTree(insertions);
  return changeFields(part, {
    purpose: PURPOSE,
    planOf: (schema) => {
      requireUniqueNames(insertions.map(([path]) => path.join('.')));
      return planInsertions(schema, tree, replacesNull, false);
    },
    ofMap: (fields, record) => insertIntoMap(fields, tree, record),
  });
}

function insertionOf(
  setting: string,
  name: string,
  syntax: FieldSyntax,
  { schema, valueOf }: { readonly schema: Schema; readonly valueOf: Insertion['valueOf'] },
): readonly [readonly string[], Insertion] {
  const isRequired = name.endsWith('!');
  return [parseFieldPath(nameOf(name), syntax), { setting, schema: isRequired ? schema : { ...schema, optional: true }, valueOf }];
}

function nameOf(text: string): string {
  return text.endsWith('!') || text.endsWith('?') ? text.slice(0, -1) : text;
}

function topicOf({ topic }: ConnectRecord): ConnectValue {
  return topic;
}

function offsetOf(record: ConnectRecord, hasSchema: boolean): ConnectValue {
  const offset = sinkRecord(record)?.offset;
  if (offset === undefined) throw unfit('Offset insertion is only supported for sink connectors: the record comes from a source');
  return hasSchema ? BigInt(offset) : offset;
}

function timestampOf({ timestamp }: ConnectRecord, hasSchema: boolean): ConnectValue | undefined {
  return timestamp !== undefined && hasSchema ? new Date(timestamp) : timestamp;
}
