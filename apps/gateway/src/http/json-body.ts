import { isUtf8 } from 'node:buffer';
import { parseJson } from '@sluice/sdk';
import { type HttpRequest, type HttpResponse } from './http-request.js';

/** Express reads the status of an error that is none of Nest's from this field. */
class BodyError extends Error {
  constructor(
    readonly status: 400 | 415,
    message: string,
  ) {
    super(message);
  }
}

/** Replaces the bytes of a JSON body by what they mean. A number that a double would change is its text, as settings are. */
export function parseJsonBody(request: HttpRequest, _: HttpResponse, next: (error?: unknown) => void): void {
  if (!Buffer.isBuffer(request.body)) {
    next();
    return;
  }
  try {
    request.body = read(request.body, request.headers['content-type']);
    next();
  } catch (error) {
    next(error instanceof BodyError ? error : new BodyError(400, (error as Error).message));
  }
}

function read(bytes: Buffer, contentType: string | readonly string[] | undefined): unknown {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(String(contentType))?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8') throw new BodyError(415, `Charset ${charset} given; allowed is utf-8`);
  if (!isUtf8(bytes)) throw new BodyError(400, 'The body is not UTF-8');
  if (bytes.length === 0) return {};
  const body = parseJson(bytes.toString('utf8'), (digits) => digits);
  if (typeof body !== 'object' || body === null) {
    throw new BodyError(400, `The body is ${body === null ? 'null' : `a ${typeof body}`}; allowed is a JSON object`);
  }
  return body;
}
