import { Catch, HttpException, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { RPC_ERROR_CODES } from '../contract/rpc-error.js';
import { type RpcErrorPayload, toErrorPayload } from '../contract/rpc-error-payload.js';

const CLIENT_ERROR_STATUS = 400;

/**
 * Lets the errors of handlers travel as `{code, message, details}`. Without it Nest replaces everything but RpcException by "Internal server
 * error", validation failures included. Use it on the microservice: `microservice.useGlobalFilters(new RpcErrorFilter())`.
 */
@Catch()
export class RpcErrorFilter implements RpcExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => toPayload(exception));
  }
}

function toPayload(exception: unknown): RpcErrorPayload {
  if (!(exception instanceof HttpException)) return toErrorPayload(exception);
  const isCallersFault = exception.getStatus() === CLIENT_ERROR_STATUS;
  const response = exception.getResponse();
  const details = typeof response === 'object' && 'message' in response ? response.message : undefined;
  return {
    code: isCallersFault ? RPC_ERROR_CODES.invalidRequest : RPC_ERROR_CODES.handlerFailed,
    message: Array.isArray(details) ? details.join('; ') : exception.message,
    ...(Array.isArray(details) ? { details } : {}),
  };
}
