import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger, NotFoundException } from '@nestjs/common';
import { ConnectErrorCode } from '@sluice/sdk';
import type { HttpRequest, HttpResponse, RouteLayer } from './http-request.js';

/** HTTP statuses of the reasons of errors; nothing else maps them. What is not the caller's fault and not listed otherwise is 500. */
const statusOfCode: Readonly<Record<ConnectErrorCode, number>> = {
  [ConnectErrorCode.configInvalid]: 400,
  [ConnectErrorCode.requestInvalid]: 400,
  [ConnectErrorCode.pluginNotFound]: 400,
  [ConnectErrorCode.notFound]: 404,
  [ConnectErrorCode.conflict]: 409,
  [ConnectErrorCode.unavailable]: 503,
  [ConnectErrorCode.timeout]: 500,
  [ConnectErrorCode.recordInvalid]: 500,
  [ConnectErrorCode.recordTooLarge]: 500,
  [ConnectErrorCode.schemaInvalid]: 500,
  [ConnectErrorCode.conversionFailed]: 500,
  [ConnectErrorCode.transformFailed]: 500,
  [ConnectErrorCode.sourceFailed]: 500,
  [ConnectErrorCode.sinkFailed]: 500,
  [ConnectErrorCode.positionInvalid]: 500,
  [ConnectErrorCode.stateInvalid]: 500,
  [ConnectErrorCode.lockHeld]: 500,
  [ConnectErrorCode.fenced]: 500,
  [ConnectErrorCode.stopped]: 503,
  [ConnectErrorCode.internal]: 500,
};

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly allow?: string;
  /** What a health check found, beside the two fields that every error has. */
  readonly details?: object;
}

/** Gives every error the body `{"error_code": <HTTP status>, "message"}`. */
@Catch()
export class ConnectErrorFilter implements ExceptionFilter {
  readonly #logger = new Logger(ConnectErrorFilter.name);

  constructor(private readonly options: { readonly maxBodyBytes: number }) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    const answer = this.#answerTo(thrown, request);
    if (response.headersSent) {
      response.end();
      return;
    }
    if (answer.allow !== undefined) response.set('Allow', answer.allow);
    response.status(answer.status).json({ ...answer.details, error_code: answer.status, message: answer.message });
  }

  #answerTo(thrown: unknown, request: HttpRequest): Answer {
    if (isReasoned(thrown)) {
      const status = statusOfCode[thrown.code];
      if (thrown.code === ConnectErrorCode.timeout) return { status, message: timedOut(thrown.message) };
      if (status === 500) this.#logger.error(thrown);
      return { status, message: thrown.message };
    }
    if (thrown instanceof NotFoundException) return noSuchRoute(request);
    const parsing = bodyParserFailure(thrown, this.options.maxBodyBytes);
    if (parsing !== undefined) return parsing;
    if (thrown instanceof HttpException) return ofHttpException(thrown);
    this.#logger.error(thrown);
    return { status: 500, message: 'HTTP 500 Internal Server Error: the log of the gateway has the cause' };
  }
}

/** Recognises an error of Sluice, also one that a runner answered: only its code and message crossed the wire. */
function isReasoned(thrown: unknown): thrown is Error & { readonly code: ConnectErrorCode } {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && Object.hasOwn(statusOfCode, thrown.code);
}

function ofHttpException(thrown: HttpException): Answer {
  const body = thrown.getResponse();
  const isOwnBody = typeof body === 'object' && !('statusCode' in body);
  return { status: thrown.getStatus(), message: thrown.message, ...(isOwnBody ? { details: body } : {}) };
}

function timedOut(message: string): string {
  return message.startsWith('Request timed out.') ? message : `Request timed out. ${message}`;
}

/** Answers where the router found nothing: either the path does not exist, or it does not know the verb. */
function noSuchRoute(request: HttpRequest): Answer {
  const methods = allowedMethods(request);
  if (methods.length === 0) return { status: 404, message: `HTTP 404 Not Found: there is nothing at ${request.path}` };
  const allow = methods.join(', ');
  return {
    status: 405,
    message: `HTTP 405 Method Not Allowed: ${request.method} given, ${request.path} answers to ${allow}`,
    allow,
  };
}

/** Answers failures before any route: a path that cannot be decoded, or bytes of a body that cannot be read. */
function bodyParserFailure(thrown: unknown, maxBodyBytes: number): Answer | undefined {
  const failure = thrown as { status?: unknown; message?: unknown } | null | undefined;
  const status = thrown instanceof HttpException ? thrown.getStatus() : failure?.status;
  const text = typeof failure?.message === 'string' ? failure.message : '';
  if (status === 400) {
    if (text.startsWith('Failed to decode param')) {
      return {
        status,
        message: 'HTTP 400 Bad Request: the path holds a percent sign that two hexadecimal digits must follow',
      };
    }
    return { status, message: 'HTTP 400 Bad Request: the bytes of the body are not those that the headers announce' };
  }
  if (status === 413) {
    return {
      status,
      message: `HTTP 413 Payload Too Large: at most ${maxBodyBytes} bytes are allowed for a request body`,
    };
  }
  if (status === 415 && !(thrown instanceof HttpException)) {
    return { status, message: 'HTTP 415 Unsupported Media Type: allowed is application/json in UTF-8' };
  }
  return undefined;
}

/** Lists the verbs that the requested path answers to, sorted; empty for a path that does not exist. */
function allowedMethods(request: HttpRequest): readonly string[] {
  const methods = new Set<string>();
  for (const layer of request.app.router.stack) {
    if (layer.route === undefined || !isMatch(layer, request.path)) continue;
    for (const [method, isServed] of Object.entries(layer.route.methods)) if (isServed) methods.add(method.toUpperCase());
  }
  return [...methods].sort();
}

function isMatch(layer: RouteLayer, path: string): boolean {
  try {
    return layer.match(path) !== false;
  } catch {
    // A path whose percent encoding is broken matches nothing.
    return false;
  }
}
