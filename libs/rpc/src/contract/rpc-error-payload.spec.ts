import { RpcException } from '@nestjs/microservices';
import { describe, expect, it } from '@jest/globals';
import { isRpcError, RpcError } from './rpc-error.js';
import { toErrorPayload, toRpcError } from './rpc-error-payload.js';

describe('error payload', () => {
  it('keeps code, message, retriable and details of typed errors', () => {
    const error = new RpcError('RPC_OVERLOADED', 'busy', { retriable: true, details: { waiting: 3 } });
    expect(toErrorPayload(error)).toEqual({
      code: 'RPC_OVERLOADED',
      message: 'busy',
      retriable: true,
      details: { waiting: 3 },
    });
  });

  it('unwraps an RpcException given an object or a string', () => {
    expect(toErrorPayload(new RpcException({ code: 'A', message: 'b' }))).toEqual({ code: 'A', message: 'b' });
    expect(toErrorPayload(new RpcException('gone'))).toEqual({ code: 'RPC_HANDLER_FAILED', message: 'gone' });
  });

  it('gives anything else the code RPC_HANDLER_FAILED and no stack', () => {
    expect(toErrorPayload(new TypeError('bad'))).toEqual({ code: 'RPC_HANDLER_FAILED', message: 'bad' });
    expect(toErrorPayload({ status: 'error', message: 'Internal server error' })).toEqual({
      code: 'RPC_HANDLER_FAILED',
      message: 'Internal server error',
    });
    expect(toErrorPayload(undefined)).toEqual({ code: 'RPC_HANDLER_FAILED', message: 'Handler failed with undefined' });
  });

  it('becomes a recognisable RpcError again', () => {
    const error = toRpcError({ code: 'X', message: 'y', details: 1 });
    expect(error).toMatchObject({ code: 'X', message: 'y', details: 1, retriable: false });
    expect(isRpcError(error)).toBe(true);
    expect(isRpcError(new Error('x'))).toBe(false);
  });
});
