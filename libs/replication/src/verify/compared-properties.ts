import { SluiceProperty } from '@sluice/protocol';
import { PROPERTY_RULES, TRANSIENT_PREFIX } from '../messages/property-rules.js';

/** What the flow drops or renames at the source, as the target's broker writes its own; and `INNER_NUM` of batch queues. */
const UNCOMPARED: ReadonlySet<string> = new Set([
  ...PROPERTY_RULES.filter(({ name, treatment }) => treatment === 'dropped' && name !== SluiceProperty.hops).map(({ name }) => name),
  'INNER_NUM',
  'INNER_BASE',
]);

/**
 * Reads those properties of a block that a message and its copy share: all but the stamp, the born time and what brokers set. Of two properties with
 * the same name the last one is valid, as RocketMQ's own parser has it.
 *
 * @returns name and value, one character for each byte: bytes that are no UTF-8 differ too
 */
export function comparedProperties(block: Buffer): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  const text = block.toString('latin1');
  for (let from = 0; from < text.length;) {
    const found = text.indexOf('\u0002', from);
    const end = found < 0 ? text.length : found;
    const split = text.indexOf('\u0001', from);
    if (split > from && split + 1 < end) {
      const name = text.slice(from, split);
      if (isCompared(name)) properties.set(name, text.slice(split + 1, end));
    }
    from = end + 1;
  }
  return properties;
}

function isCompared(name: string): boolean {
  return !UNCOMPARED.has(name) && !name.startsWith(TRANSIENT_PREFIX);
}
