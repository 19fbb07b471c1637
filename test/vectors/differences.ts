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
  { ids: /\/settings\/unknown/, why: 'Sluice refuses a setting that the plugin has not; Kafka Connect ignores it.' },
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
];

/** What is known to differ and is to be fixed. */
export const TO_FIX: readonly Difference[] = [
  { ids: /^JsonConverter\/write\/float32\/3.4028235E38$/, why: 'The largest float, as Kafka Connect spells it, is a float.' },
  { ids: /^JsonConverter\/read\/plain\/\ufeff1$/, why: 'A mark of the byte order before JSON may be there.' },
  { ids: /^JsonConverter\/(settings\/|content\/)/, why: 'Settings: decimal.format in any case, schemas.cache.size, schema.content.' },
  { ids: /^(HasHeaderKey|TopicNameMatches)\//, why: 'Blanks around settings, and patterns of Java.' },
  { ids: /^StringConverter\//, why: 'Encodings, and how values are spelled.' },
];

/** Plugins that have no vectors, with the reason. */
export const EXEMPT: Readonly<Record<string, string>> = {};

/** Classes of Kafka Connect that Sluice has not yet. */
export const NOT_BUILT: readonly RegExp[] = [
  /\.transforms\.(Cast|ExtractField|Flatten|HeaderFrom|HoistField|InsertField|MaskField|ReplaceField|SetSchemaMetadata|TimestampConverter)\$/,
  /\.transforms\.(DropHeaders|InsertHeader|RegexRouter|TimestampRouter|ValueToKey)$/,
  /\.converters\.(Short|Integer|Long|Float|Double|Boolean)Converter$/,
  /\.SimpleHeaderConverter$/,
];
