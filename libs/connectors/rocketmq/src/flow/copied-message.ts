import type { NotCopied } from '@sluice/replication';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Returns why a message cannot be copied; `undefined` for one that is left out on purpose. `what` names the message. */
export function copyProblem(copied: NotCopied, what: string): ConnectError | undefined {
  if (!('problem' in copied)) return undefined;
  const code = copied.why === 'too-long' ? ConnectErrorCode.recordTooLarge : ConnectErrorCode.recordInvalid;
  return new ConnectError(code, `${what} cannot be copied: ${copied.problem}`);
}

/**
 * Returns what knows a message again that its producer gave no id: what never changes of it. A broker's own id names an address, which may change.
 *
 * @param bodyBytes of the body as it is stored
 */
export function idWithoutName(bornAt: number | undefined, propertiesBytes: number, bodyBytes: number): string {
  return `${bornAt}/${propertiesBytes}/${bodyBytes}`;
}
