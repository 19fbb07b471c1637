/** Where Sluice differs from Kafka Connect. */
export interface Difference {
  /** Matches the ids of vectors. Those of a wanted difference must all differ. */
  readonly ids: RegExp;
  readonly why: string;
}

function exactly(prefix: string, rest: readonly string[]): RegExp {
  return new RegExp(`^(?:${rest.map((each) => (prefix + each).replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|')})$`);
}

export const WANTED_DIFFERENCES: readonly Difference[] = [
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
    ids: /^ByteArrayConverter\/write\/null-text$/,
    why: 'Bytes of a text pass this converter, as documented of records; so does a null with the schema of a text.',
  },
  {
    ids: /^JsonConverter\/write\/(null\/(plain-)?(required|optional)(-with-default)?-(true|false)|schema\/[A-Z]|defaults\/)/,
    why: 'A null stays null for every converter, whatever its schema: the record is a tombstone.',
  },
  {
    ids: /^JsonConverter\/write\/((plain\/)?classes\/(big-decimal|date)|decimal\/schemaless-)/,
    why: 'Sluice writes decimals and dates without a schema too, where Kafka Connect fails.',
  },
  {
    ids: /^JsonConverter\/write\/float\d\d\/(NaN|Infinity)$/,
    why: 'JSON has no such numbers, and a text in their place has another type.',
  },
  {
    ids: /^JsonConverter\/write\/decimal\/other-scale/,
    why: 'A decimal gets the scale of its schema where no digit is lost.',
  },
  { ids: /^JsonConverter\/(write\/time|read\/Time)\/86400000$/, why: 'A time of day ends before 24:00.' },
  {
    ids: /^JsonConverter\/write\/wrong\/(int64-as-int32|int64-as-timestamp|int32-as-date|int32-as-float64)$/,
    why: 'Sources may give every number that the type holds exactly.',
  },
  {
    ids: /^JsonConverter\/read\/null\/(name|count|when)-\{\}-false$/,
    why: 'A field that is left out has its default whatever the setting says of nulls.',
  },
  { ids: /^JsonConverter\/read\/schema\/.*"name":""/, why: 'An empty name is no name.' },
  {
    ids: /^JsonConverter\/read\/schema\/.*("version":(1\.5|-1|4294967297)|"parameters":\[\]|"default":"x")/,
    why: 'A part of a schema that is wrong is refused, not ignored or changed.',
  },
  { ids: /^JsonConverter\/read\/schema\/\{"type":"int32","default":null\}$/, why: 'A default of null is none.' },
  {
    ids: /^JsonConverter\/read\/(logical-kept-in\/(int64-Date|string-|int32-Timestamp))/,
    why: 'A logical type in the wrong type is refused, also where no value shows it.',
  },
  {
    ids: /^JsonConverter\/read\/struct-default$/,
    why: 'Kafka Connect cannot read the default of an optional struct that it writes itself.',
  },
  {
    ids: exactly('JsonConverter/read/', [
      'array/{"type":"array","items":{"type":"int32","optional":true}}1',
      'array/{"type":"array","items":{"type":"int32","optional":true}}{}',
      'array/{"type":"array","items":{"type":"int32"}}1',
      'array/{"type":"array","items":{"type":"int32"}}{}',
      'array/{"type":"array","items":{"type":"string"}}1',
      'array/{"type":"array","items":{"type":"string"}}[1]',
      'array/{"type":"array","items":{"type":"string"}}{}',
      ...['boolean/"true"', 'boolean/0', 'boolean/1', 'bytes/5', 'bytes/[]', 'bytes/true'],
      ...['double/"1.5"', 'double/"NaN"', 'double/1e400', 'float/"1.5"', 'float/1e400', 'float/3.5e38', 'float/true'],
      ...['int16/"5"', 'int16/32768', 'int32/"5"', 'int32/1.9', 'int32/2147483648', 'int32/false', 'int32/{}'],
      ...['int64/"5"', 'int64/9223372036854775808', 'int8/"5"', 'int8/1.5', 'int8/128', 'int8/300', 'int8/[]', 'int8/true', 'int8/{}'],
      ...['map/numbers/[["x","a"]]', 'map/texts/{"a":"x"}', 'string/5', 'string/[]', 'string/true', 'string/{}'],
      ...['struct/{"a":"x"}', 'struct/{"a":1,"b":5}', 'struct/{"a":2147483648}', 'struct/{"a":true}', 'Timestamp/9223372036854775808'],
    ]),
    why: 'A payload that does not fit its schema is refused; Kafka Connect makes it 0, null, empty or another number.',
  },
  {
    ids: exactly('JsonConverter/read/', ['plain/9223372036854775808', 'plain/123456789012345678901234567890']),
    why: 'Whole numbers keep all their digits; Kafka Connect takes the lowest 64 bits.',
  },
  {
    ids: exactly('JsonConverter/read/', ['plain/-0', 'plain/-0.0', 'double/-0', 'double/-0.0', 'float/-0.0']),
    why: 'A zero keeps its sign.',
  },
  {
    ids: exactly('JsonConverter/read/', ['Decimal/1.5', 'Decimal/150', 'Decimal/1e2', 'Decimal/1.005']),
    why: 'A decimal has the scale of its schema, and is refused where that loses digits.',
  },
  {
    ids: exactly('JsonConverter/read/', ['Date/2147483647', 'Timestamp/8640000000000001', 'Timestamp/9223372036854775807']),
    why: 'JavaScript has no such dates.',
  },
  { ids: exactly('JsonConverter/read/', ['Timestamp/1.0']), why: 'A whole number may be spelled with a point, as for every other type.' },
  {
    ids: exactly('JsonConverter/read/', ['plain/', 'plain/ ', 'plain/empty', 'plain/01', 'plain/1 2']),
    why: 'Text that is not JSON is refused; Kafka Connect reads nothing as null, zeros before digits, and the first of two values.',
  },
  {
    ids: /^\w+(\$Value)?\/(settings\/unknown|specs\/unknown-setting)/,
    why: 'Sluice refuses a setting that the plugin has not; Kafka Connect ignores it.',
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
      ...['TimestampRouter/${topic}/bad-format', 'TimestampRouter//yyyy'],
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
  {
    ids: exactly('JsonConverter/', ['settings/{decimal.format=Base64}', 'settings/{schemas.cache.size=-1}', 'content/settings/null']),
    why: 'Words of settings are in capitals or small letters, a size is no negative number, and a schema is no null.',
  },
  {
    ids: exactly('JsonConverter/', ['settings/{unknown=x}']),
    why: 'Sluice refuses a setting that the plugin has not; Kafka Connect ignores it.',
  },
  {
    ids: exactly('', [
      ...['ShortConverter/write/classes/byte', 'IntegerConverter/write/classes/byte', 'IntegerConverter/write/classes/short'],
      ...['byte', 'short', 'integer', 'double'].map((name) => `LongConverter/write/classes/${name}`),
      ...['byte', 'short', 'integer', 'long'].map((name) => `FloatConverter/write/classes/${name}`),
      ...['byte', 'short', 'integer', 'long', 'float'].map((name) => `DoubleConverter/write/classes/${name}`),
    ]),
    why: 'Without a schema Sluice has one number where Java has six; it is written where the type holds it.',
  },
  {
    ids: exactly('SimpleHeaderConverter/read/', [
      ...[
        'some/[1,"a"]',
        'some/{}',
        'some/[]',
        'lists/[ ]',
        'lists/[[1],["a"]]',
        'lists/[null]',
        'lists/[null,null]',
        'lists/[true,1]',
        'lists/["a",1]',
      ],
      ...['lists/["2024-11-13","x"]', 'lists/[9223372036854775808,1]', 'lists/[[]]', 'lists/[{}]', 'lists/[[null],[1]]'],
      ...[
        '{"a":null}',
        '{"a":null,"b":null}',
        '{"a":1,"b":"x"}',
        '{"a":1,1:2}',
        '{"a":[]}',
        '{"a":{}}',
        '{"a":"x","b":[1,{"c":2}]}',
        '{"id":5,"name":"x"}',
      ].map((each) => `maps/${each}`),
    ]),
    why: 'A list or map whose parts have no common type has no schema; Kafka Connect gives it one that is not whole.',
  },
  {
    ids: exactly('SimpleHeaderConverter/read/', [
      ...[
        'numbers/1,000',
        'texts/{}x',
        'texts/[]x',
        'times/14:38:32',
        'times/14:38',
        'times/14:38:32.2290Z',
        'lists/1]',
        'lists/[1]]',
        'lists/[1,2,3]x',
      ],
      ...['maps/{"a":1}}', 'maps/{"a":1}x'],
    ]),
    why: 'A text that begins with a literal is a text; Kafka Connect loses the rest of it.',
  },
  {
    ids: exactly('SimpleHeaderConverter/read/times/', [
      ...[
        '2024-13-01',
        '2024-02-30',
        '0000-00-00',
        '2024-11-13T25:61:61.229Z',
        '25:00:00.000Z',
        '13-11-2024',
        '2024-11-1a',
        '24:00:00.000Z',
      ],
    ]),
    why: 'A date or time that does not exist is a text; Kafka Connect makes another one of it.',
  },
  {
    ids: exactly('SimpleHeaderConverter/read/numbers/', ['1E-400', '1e1000000000', '\u0661\u0662']),
    why: 'A number keeps its digits, has an exponent of at most 100,000, and digits of ASCII.',
  },
  {
    ids: exactly('SimpleHeaderConverter/read/bytes/', ['not-utf8', 'half-a-character']),
    why: 'Bytes that are no text stay bytes; Kafka Connect replaces them.',
  },
  {
    ids: exactly('', ['SimpleHeaderConverter/write/classes/double', 'StringConverter/write/classes/double']),
    why: 'A number without a schema is written with the digits that JavaScript writes.',
  },
  {
    ids: exactly('SimpleHeaderConverter/write/', ['float64/4.9E-324']),
    why: 'The fewest digits that mean the same number, as later versions of Java write.',
  },
  {
    ids: exactly('SimpleHeaderConverter/write/', ['timestamp/-1']),
    why: 'A time before 1970 is written with its day, which Kafka Connect loses.',
  },
  {
    ids: /^StringConverter\/write\/(float64$|float(64|32)\/(1.0|-0.0|1.0E7|1.0E21|1.0E-7|1.0E10)$)/,
    why: 'Numbers are written as JavaScript writes them.',
  },
  {
    ids: /^StringConverter\/write\/(classes\/)?(date|time|timestamp|array|list|map|map-int-keys|struct)$/,
    why: 'Dates are written in ISO 8601, lists, maps and structs as JSON: other programs can read both.',
  },
  {
    ids: /^StringConverter\/(write\/half-a-pair$|encodings\/(ISO-|latin|US-|ASCII|windows|Cp|KOI)[^/]*\/write-\u4e2d\u6587$|encodings\/(ISO-8859-1|latin1|(US-)?ASCII|KOI8-R)\/write-\u00fc)/,
    why: 'A character that the encoding has not is refused; Kafka Connect writes a question mark.',
  },
  {
    ids: /^StringConverter\/(read\/(not-utf8|half-a-character)|encodings\/(UTF-8|utf8|UTF8|US-ASCII|ASCII)\/read-any-bytes)$/,
    why: 'Bytes that are not of the encoding are refused; Kafka Connect replaces them.',
  },
  {
    ids: /^StringConverter\/encodings\/(windows-1252|Cp1252)\/read-any-bytes$/,
    why: 'Every byte of windows-1252 is a character, as in the standard of the web.',
  },
  {
    ids: /^StringConverter\/encodings\/(GBK|GB18030|Big5|Shift_JIS|EUC-JP|EUC-KR|UTF-32)\//,
    why: 'Sluice has no such encoding, and refuses it by name.',
  },
];

/** What is known to differ and is to be fixed. */
export const TO_FIX: readonly Difference[] = [
  { ids: /^JsonConverter\/read\/plain\/\ufeff1$/, why: 'A mark of the byte order before JSON may be there.' },
];

/** Plugins that have no vectors, with the reason. */
export const EXEMPT: readonly { readonly names: RegExp; readonly why: string }[] = [
  {
    names: /^(ChangeCase|ExtractNestedField|PatternFilter|PatternRename|SetMaximumPrecision|SetNull)\$(Key|Value)$/,
    why: 'Apache RocketMQ Connect alone has them; their specs follow its documentation.',
  },
  { names: /Jsonata/i, why: 'Sluice alone has it.' },
  { names: /^(Avro|JsonSchema|Protobuf)Converter$/, why: 'They are not part of Kafka Connect; specs ask a schema registry.' },
  { names: /^CloudEventsConverter$/, why: 'It is not part of Kafka Connect; its spec follows the specification of CloudEvents.' },
];

/** Classes of Kafka Connect that Sluice has not yet. */
export const NOT_BUILT: readonly RegExp[] = [];
