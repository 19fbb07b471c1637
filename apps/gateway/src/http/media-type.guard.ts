import { type CanActivate, type ExecutionContext, NotAcceptableException, UnsupportedMediaTypeException } from '@nestjs/common';
import type { HttpRequest } from './http-request.js';

/**
 * Lets requests through that speak JSON. One that carries a body must declare it as `application/json`; one without needs no content type. A
 * client that names what it accepts must accept JSON.
 */
export class MediaTypeGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const contentType = request.headers['content-type'];
    if (hasBody(request) && !(typeof contentType === 'string' && /^application\/json\s*(;|$)/i.test(contentType))) {
      throw new UnsupportedMediaTypeException(
        `HTTP 415 Unsupported Media Type: content type ${JSON.stringify(contentType ?? '')} given, allowed is application/json`,
      );
    }
    if (request.accepts('application/json') === false) {
      throw new NotAcceptableException(
        `HTTP 406 Not Acceptable: ${JSON.stringify(request.headers['accept'])} asked for, available is application/json`,
      );
    }
    return true;
  }
}

function hasBody(request: HttpRequest): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return true;
  const length = request.headers['content-length'];
  return length !== undefined && length !== '0';
}
