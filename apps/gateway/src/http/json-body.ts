import { isUtf8 } from 'node:buffer';
import { HttpException, UnsupportedMediaTypeException } from '@nestjs/common';
import { ConnectError, ConnectErrorCode, isConnectError, parseJson } from '@sluice/sdk';
import type { HttpRequest, HttpResponse } from './http-request.js';

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
    next(isConnectError(error) || error instanceof HttpException ? error : wrongBody(placeIn(error as Error)));
  }
}

function read(bytes: Buffer, contentType: string | readonly string[] | undefined): unknown {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(String(contentType))?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8') {
    throw new UnsupportedMediaTypeException(`HTTP 415 Unsupported Media Type: charset ${JSON.stringify(charset)} given, allowed is utf-8`);
  }
  if (!isUtf8(bytes)) throw wrongBody(': it is not UTF-8');
  if (bytes.length === 0) return {};
  const body = parseJson(bytes.toString('utf8'), (digits) => digits);
  if (typeof body !== 'object' || body === null) throw wrongBody(`: it is ${body === null ? 'null' : `a ${typeof body}`}`);
  return body;
}

/** The parser's own text quotes the body, which may hold a password: only the place is taken from it. */
function placeIn({ message }: Error): string {
  const place = /at position \d+/.exec(message)?.[0];
  return place === undefined ? '' : `: wrong ${place}`;
}

function wrongBody(detail: string): ConnectError {
  return new ConnectError(ConnectErrorCode.requestInvalid, `The request body is not a JSON object${detail}`);
}
