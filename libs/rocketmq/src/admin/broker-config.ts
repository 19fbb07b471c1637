import { InvalidArgumentError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { parseSettings } from './properties-text.js';

/** Returns all settings of one broker. */
export async function brokerConfigOn(
  cluster: ClusterAccess,
  address: string,
  deadline: CallDeadline,
): Promise<ReadonlyMap<string, string>> {
  const reply = await cluster.call(address, { code: REQUEST_CODE.GET_BROKER_CONFIG, ext: {} }, deadline);
  return parseSettings(reply.body.toString('utf8'));
}

/** Servers ignore settings that they do not have, without a word. @throws InvalidArgumentError */
export function checkSettingsKnown(settings: Readonly<Record<string, string>>, known: ReadonlyMap<string, string>, address: string): void {
  const unknown = Object.keys(settings).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new InvalidArgumentError(`setting ${unknown.join(', ')}: allowed are those that ${address} has`);
}
