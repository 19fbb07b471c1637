import type { PipeTransform } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Percent-encoded, a longer name does not fit into the request line that Node accepts. */
const MAX_NAME_LENGTH = 1000;

/** Takes the white space around a connector's name away, in bodies and paths alike: it never belongs to the name. */
export class ConnectorNamePipe implements PipeTransform<string, string> {
  transform(name: string): string {
    return name.trim();
  }
}

/**
 * Checks that a URL can address a connector's name. It can unless the name is empty, `.` or `..`, or has a `/` or a control character.
 *
 * @throws ConnectError with code `CONNECT_REQUEST_INVALID`
 */
export function checkConnectorName(name: string): void {
  const problem = problemOf(name);
  if (problem === undefined) return;
  const shown = name.length > MAX_NAME_LENGTH ? `of ${name.length} characters` : JSON.stringify(name);
  throw new ConnectError(
    ConnectErrorCode.requestInvalid,
    `Connector name ${shown} is invalid: it ${problem}. Allowed is any text of 1 to ${MAX_NAME_LENGTH} characters without "/" and control characters.`,
  );
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME_LENGTH) return 'is too long';
  if (name.includes('/')) return 'holds a "/"';
  if (/\p{Cc}/u.test(name)) return 'holds a control character';
  if (/\p{Cs}/u.test(name)) return 'holds half of a surrogate pair';
  if (name === '.' || name === '..') return 'means a directory in a URL';
  return undefined;
}
