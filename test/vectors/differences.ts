import { CONVERTER_DIFFERENCES } from './converter-differences.js';
import type { Difference } from './difference.js';
import { TRANSFORM_DIFFERENCES } from './transform-differences.js';

export const WANTED_DIFFERENCES: readonly Difference[] = [
  {
    ids: /^\w+(\$Value)?\/(settings\/unknown|specs\/unknown-setting)/,
    why: 'Sluice refuses a setting that the plugin has not; Kafka Connect ignores it.',
  },
  ...TRANSFORM_DIFFERENCES,
  ...CONVERTER_DIFFERENCES,
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
