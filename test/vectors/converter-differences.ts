import { type Difference, exactly } from './difference.js';

export const CONVERTER_DIFFERENCES: readonly Difference[] = [
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
    ids: /^StringConverter\/(read\/(not-utf8|half-a-character)|encodings\/(UTF-8|utf8|UTF8|US-ASCII|ASCII|GBK|GB18030)\/read-any-bytes)$/,
    why: 'Bytes that are not of the encoding are refused; Kafka Connect replaces them.',
  },
  {
    ids: /^StringConverter\/encodings\/(windows-1252|Cp1252)\/read-any-bytes$/,
    why: 'Every byte of windows-1252 is a character, as in the standard of the web.',
  },
  {
    ids: /^StringConverter\/encodings\/(Big5|Shift_JIS|EUC-JP|EUC-KR|UTF-32)\//,
    why: 'Sluice has no such encoding, and refuses it by name.',
  },
];
