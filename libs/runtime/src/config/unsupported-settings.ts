import type { ConfigSpec, FieldError, RawConfig } from '@sluice/sdk';

/** A setting of Kafka Connect or Apache RocketMQ Connect whose effect Sluice does not have. */
interface UnsupportedSetting {
  readonly names: RegExp;
  /** Values that ask for what Sluice does anyway, in lower case; without any, every value is refused. */
  readonly accepts?: readonly string[];
  /** Names with each value that match have no effect and do no harm: a warning, not an error. */
  readonly isHarmless?: true;
  readonly reason: string;
}

/** The first row whose `names` match decides. */
const UNSUPPORTED_SETTINGS: readonly UnsupportedSetting[] = [
  {
    names: /^errors\.deadletterqueue\.topic\.replication\.factor$/,
    isHarmless: true,
    reason: 'a RocketMQ broker group replicates all of its topics alike',
  },
  {
    names: /^errors\.deadletterqueue\.(read|write)\.queue\.nums$/,
    accepts: ['8'],
    reason: 'Sluice creates a dead letter topic of a sink with 8 queues; create the topic yourself to have others',
  },
  {
    names: /^exactly\.once\.support$/,
    accepts: ['requested'],
    reason: 'it is a setting of sources; the reference says of each sink what it promises',
  },
  { names: /^transaction\.boundary$/, accepts: ['poll'], reason: 'Sluice sends without transactions' },
  { names: /^transaction\.boundary\./, reason: 'Sluice sends without transactions' },
  { names: /^offsets\.storage\.topic$/, reason: 'Sluice keeps all positions in one topic of the Connect cluster' },
  { names: /^topic\.creation\.groups$/, accepts: [''], reason: 'Sluice creates all topics of a source alike' },
  {
    names: /^topic\.creation\.default\.replication\.factor$/,
    isHarmless: true,
    reason: 'a RocketMQ broker group replicates all of its topics alike',
  },
  { names: /^topic\.creation\./, reason: 'Sluice sets only the number of queues of a topic that it creates' },
  { names: /^(producer|consumer|admin)\.override\./, reason: 'these are settings of the clients of Kafka' },
  { names: /^tasks\.max\.enforce$/, accepts: ['true'], reason: 'Sluice always enforces tasks.max' },
  {
    names: /^ordering\.msg\.enable$/,
    accepts: ['false'],
    reason: 'records are always sent in order; queue.by=key keeps those with equal keys in one queue',
  },
  { names: /^consume\.from\.(where|timestamp)$/, reason: 'use consumer.offset.reset, earliest or latest' },
  { names: /^task\.granularity$/, reason: 'it is a setting of sinks; a source divides its partitions over its tasks itself' },
  { names: /^task\.group\.id$/, reason: 'the consumer group follows from the names of Connect cluster and connector' },
  { names: /^sluice\./, reason: 'Sluice writes the settings with this prefix itself' },
];

/** Returns what a configuration asks for and Sluice cannot do. Names in `spec` are a connector's own and always pass. */
export function unsupportedSettingsIn(
  config: RawConfig,
  spec: ConfigSpec,
): { readonly errors: readonly FieldError[]; readonly warnings: readonly FieldError[] } {
  const own = new Set(Object.entries(spec).flatMap(([name, { aliases }]) => [name, ...(aliases ?? [])]));
  const errors: FieldError[] = [];
  const warnings: FieldError[] = [];
  for (const [field, value] of Object.entries(config)) {
    if (value === null || value === undefined) continue;
    const row = own.has(field) ? undefined : unsupportedRow(field);
    if (row === undefined || row.accepts?.includes(value.trim().toLowerCase()) === true) continue;
    if (row.isHarmless === true) {
      warnings.push({ field, message: `Configuration ${field} has no effect: ${row.reason}.` });
      continue;
    }
    const allowed = row.accepts?.map((each) => (each === '' ? 'an empty value' : each)).join(' or ');
    const ending = allowed === undefined ? 'Leave it out.' : `Leave it out, or give ${allowed}.`;
    errors.push({ field, message: `Configuration ${field} is not supported: ${row.reason}. ${ending}` });
  }
  return { errors, warnings };
}

/** Returns true for names that {@link unsupportedSettingsIn} judges: nothing else has to be said of them. */
export function isJudgedElsewhere(name: string): boolean {
  return unsupportedRow(name) !== undefined;
}

function unsupportedRow(name: string): UnsupportedSetting | undefined {
  return UNSUPPORTED_SETTINGS.find(({ names }) => names.test(name));
}
