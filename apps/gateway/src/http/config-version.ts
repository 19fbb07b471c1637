import { PreconditionFailedException } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** What `If-Match` asks for: any version of something that exists, or just one. */
export type ExpectedVersion = 'any' | number;

/** Makes the entity tag of a configuration: its version. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/** Reads `If-Match`; undefined without it. @throws ConnectError with code `CONNECT_REQUEST_INVALID` for a tag that this API never gives. */
export function readIfMatch(header: string | readonly string[] | undefined): ExpectedVersion | undefined {
  if (header === undefined) return undefined;
  if (header === '*') return 'any';
  const version = typeof header === 'string' ? /^"(\d{1,15})"$/.exec(header)?.[1] : undefined;
  if (version !== undefined) return Number(version);
  throw new ConnectError(
    ConnectErrorCode.requestInvalid,
    `If-Match is ${JSON.stringify(header)}, allowed are * and one ETag of the configuration, such as "17"`,
  );
}

/** Compares what is there with what the client expects. @throws PreconditionFailedException when they differ. */
export function checkConfigVersion(name: string, expected: ExpectedVersion | undefined, found: number | undefined): void {
  if (expected === undefined || (expected === 'any' && found !== undefined) || expected === found) return;
  const actual = found === undefined ? 'it does not exist' : `its configuration has ETag ${entityTag(found)}`;
  const wanted = expected === 'any' ? 'any' : entityTag(expected);
  throw new PreconditionFailedException(`HTTP 412 Precondition Failed: If-Match asks for ${wanted} of connector ${name}, but ${actual}`);
}
