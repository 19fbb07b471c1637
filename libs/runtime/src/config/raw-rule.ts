import type { ConfigSpec, Connector, FieldError, RawConfig } from '@sluice/sdk';

/** What makes records of bytes, changes records, or chooses their queues. */
const WITHOUT_EFFECT = /^((key|value|header)\.converter|transforms|predicates|queue\.by)(\.|$)/;

/** What settings mean for raw records, where that is something else. */
const RAW_DOCS: Readonly<Record<string, { readonly doc: string }>> = {
  'queue.unavailable.timeout.ms': {
    doc:
      'How long a task that starts waits to see what is in a queue whose broker is unavailable, in milliseconds; -1 without end. After that it goes by ' +
      'the stored positions, and may send records twice. Records wait for their queue without end: no other stands in for it.',
  },
  'topic.creation.enable': {
    doc: 'Whether a missing dead letter topic is created, and topics that the connector itself creates. The runtime creates none for raw records.',
  },
  'topic.creation.default.partitions': { doc: 'Queues of a dead letter topic that the source creates.' },
};

/** Returns whether a setting of the runtime has no effect on the records of a connector, which are raw. */
export function hasNoEffectOn(connector: Pick<Connector, 'records' | 'spec'> | undefined, name: string): boolean {
  if (connector?.records !== 'raw' || !WITHOUT_EFFECT.test(name)) return false;
  return !Object.entries(connector.spec).some(([own, { aliases }]) => own === name || aliases?.includes(name) === true);
}

/** Finds settings that have no effect on raw records. */
export function rawErrors(connector: Connector, config: RawConfig): readonly FieldError[] {
  if (connector.records !== 'raw') return [];
  return Object.entries(config)
    .filter(([name, value]) => value !== null && value !== undefined && hasNoEffectOn(connector, name))
    .map(([field]) => ({
      field,
      message: `Configuration ${field} has no effect: the records of ${connector.name} are raw, messages that pass as they are. Leave it out.`,
    }));
}

/** Returns those settings of the runtime that have an effect on the records of a connector. */
export function effectiveSettings(connector: Connector, shared: ConfigSpec): ConfigSpec {
  if (connector.records !== 'raw') return shared;
  const effective = Object.entries(shared).filter(([name]) => !hasNoEffectOn(connector, name));
  return Object.fromEntries(effective.map(([name, field]) => [name, { ...field, ...RAW_DOCS[name] }]));
}
