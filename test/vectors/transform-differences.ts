import { type Difference, exactly } from './difference.js';

export const TRANSFORM_DIFFERENCES: readonly Difference[] = [
  {
    ids: exactly('ConnectorConfig/', ['order/a', 'order/', 'order/ ', 'aliases/of-others']),
    why: 'Sluice refuses the settings of an alias that nothing lists; Kafka Connect ignores them.',
  },
  { ids: exactly('ConnectorConfig/', ['order/a,,b']), why: 'An empty item of a list is none, in all settings of Sluice.' },
  {
    ids: exactly('ConnectorConfig/negate/', [' true /value', ' true /tombstone']),
    why: 'A boolean with blanks around it means what it says; Kafka Connect takes it, and does not negate.',
  },
  {
    ids: exactly('ConnectorConfig/types/', ['last-part']),
    why: 'A class is found by the last part of its name as well, and with blanks around it.',
  },
  {
    ids: exactly('', [
      ...['Cast$Value/specs/a:int8,,b:int8', 'DropHeaders/a,,b', 'MaskField$Value/settings/a,,n'],
      ...['ValueToKey/struct/id,,note', 'ValueToKey/schemaless/id,,note'],
      ...['struct', 'schemaless'].flatMap((kind) =>
        ['{renames=id:a,}', '{exclude=id,,note}', '{include=,id}'].map((config) => `ReplaceField$Value/${kind}/${config}`),
      ),
    ]),
    why: 'An empty item of a list is none, in all settings of Sluice.',
  },
  {
    ids: exactly('', [
      ...['V1/ a', 'V1/schemaless/ a', 'V2/ a', 'V2/schemaless/ a', 'V2/null-on-the-way/ a'].map(
        (path) => `ExtractField$Value/paths/${path}`,
      ),
      ...[
        'InsertField$Value/static/ s ',
        'InsertField$Value/static/schemaless/ s ',
        'SetSchemaMetadata$Value/settings/{schema.name= spaced }',
      ],
      ...['b', 'l', 'd', 's'].map((field) => `MaskField$Value/replacements/${field}/ `),
      ...['InsertHeader/literals/ ', 'InsertHeader/settings/{header= h , value.literal= x }'],
      ...['HasHeaderKey/ a ', 'TopicNameMatches/ orders '],
    ]),
    why: 'Sluice keeps the blanks around a text that a user writes.',
  },
  {
    ids: /^Cast\$Value\/((edges\/)?(decimal|date|time|timestamp)(-large|-tiny)?-to-|dates\/-?\d+-to-string$)/,
    why: 'The result of a cast is no logical type any more; Kafka Connect keeps the name, and its converters then fail.',
  },
  {
    ids: /^Cast\$Value\/(schemaless\/big-decimal-to-|schemaless\/date-to-string$|dates\/schemaless-midnight)|^Flatten\$Value\/classes\/(big-decimal|date)$/,
    why: 'Decimals and dates without a schema are values like any other.',
  },
  {
    ids: /^Cast\$Value\/schemaless\/double-to-string$/,
    why: 'A number without a schema is written with the digits that JavaScript writes.',
  },
  {
    ids: /^Cast\$Value\/schemaless\/double-to-int(16|32)$/,
    why: 'A whole number without a schema is an int64, of which a cast keeps the low bits.',
  },
  {
    ids: exactly('InsertHeader/literals/', ['[1,"a"]', '{}', '[]']),
    why: 'A list or map whose parts have no common type has no schema.',
  },
  {
    ids: exactly('ConnectorConfig/types/', ['last-part-of-a-nested-class', 'blanks-around']),
    why: 'A class is found by the last part of its name too, and blanks around a name mean nothing.',
  },
  { ids: /^Cast\$Value\/texts\/\u0664\u0662-to-int(8|64)$/, why: 'Digits are those of ASCII.' },
  {
    ids: exactly('ExtractField$Value/paths/', ['V2/schemaless/']),
    why: 'An empty path names the field without a name; Kafka Connect fails.',
  },
  {
    ids: /^Flatten\$Value\/defaults\/of-a-parent-taken$/,
    why: 'The fields of a null parent get its defaults, which the flattened schema names too.',
  },
  {
    ids: exactly('', [
      ...['HoistField$Value/null-required', 'ReplaceField$Value/default-required-not-taken', 'ValueToKey/default-required-not-taken'],
    ]),
    why: 'The converter finds a null in a required field, not the transform.',
  },
  {
    ids: /^InsertField\$Value\/(source\/partition|no-timestamp\/timestamp)\.field!$/,
    why: 'A record without what a required field needs fails in the transform, not in the converter.',
  },
  {
    ids: exactly('', [
      ...['HoistField$Value/names/', 'HoistField$Value/names/struct/'],
      ...['', '!', 'schemaless/', 'schemaless/!'].map((each) => `InsertField$Value/static/${each}`),
      ...['ReplaceField$Value/struct/{renames=:id}', 'ReplaceField$Value/schemaless/{renames=:id}'],
      ...['SetSchemaMetadata$Value/settings/{schema.name=, schema.version=0}', 'SetSchemaMetadata$Value/settings/{schema.version=-1}'],
    ]),
    why: 'A name must have characters, and a version is no negative number.',
  },
  { ids: /^MaskField\$Value\/types\/decimal-(null|7)$/, why: 'A decimal keeps the scale of its schema.' },
  {
    ids: exactly('', [
      ...['(orders) to $2', '(orders) to $', '(orders) to ${none}', ' to x'].map((each) => `RegexRouter/${each}`),
      ...[
        'TimestampRouter/${topic}/bad-format',
        'TimestampRouter//yyyy',
        'TimestampRouter/sink/${topic}/bad-format',
        'TimestampRouter/sink//yyyy',
      ],
    ]),
    why: 'What must fail for every record is refused before the first.',
  },
  {
    ids: exactly('', [
      ...['(orders) to \\$1', '(x)?orders to [$1]', 'orders to ', 'topics/dbserver1.inventory.customers'].map(
        (each) => `RegexRouter/${each}`,
      ),
      ...[
        '${TOPIC}-${timestamp}/yyyy',
        'a$b-${timestamp}/yyyy',
        '${topic}-${timestamp}/yyyy.MM.dd',
        '${unknown}-${topic}/yyyy',
        '\\${topic}/yyyy',
      ].map((each) => `TimestampRouter/${each}`),
      'TimestampRouter/topic-with-a-dollar',
    ]),
    why: 'RocketMQ cannot have a topic of that name.',
  },
  {
    ids: exactly('', [
      ...['o++rders to x', '(?>ord)ers to x', '(o)\\1?rders to $1'].map((each) => `RegexRouter/${each}`),
      'TopicNameMatches/o++rders',
    ]),
    why: 'What JavaScript has no expression for is refused with a hint.',
  },
  {
    ids: /^ReplaceField\$Value\/(struct|schemaless)\/\{(black|white)list=id\}$/,
    why: 'The names that the settings had before Kafka 4.0 still work.',
  },
  {
    ids: /^SetSchemaMetadata\$(Key\/key$|Value\/(types\/(?!struct)|null\/text|default-of-the-schema|named-as-timestamp|timestamp-renamed))/,
    why: 'Every schema can have a name and a version; Kafka Connect fails for what is no struct.',
  },
  {
    ids: /^TimestampConverter\$Value\/wrong\/schemaless-integer$/,
    why: 'Without a schema Sluice has one whole number where Java has four.',
  },
  {
    ids: /^TimestampConverter\$Value\/precision\/(seconds-1731508712229224|seconds-1488406838008123|(seconds|milliseconds|microseconds)-9223372036854775807)$/,
    why: 'JavaScript has no such dates.',
  },
];
