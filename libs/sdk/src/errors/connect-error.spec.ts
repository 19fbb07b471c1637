import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, isConnectError, isRetriable, RetriableError } from './connect-error.js';

describe('ConnectError', () => {
  it('carries code, cause and its own class name', () => {
    const cause = new Error('disk');
    const error = new ConnectError(ConnectErrorCode.sinkFailed, 'no', { cause });
    expect(error).toMatchObject({ name: 'ConnectError', code: 'CONNECT_SINK_FAILED', retriable: false, cause });
    expect(isConnectError(error)).toBe(true);
    expect(isConnectError(new Error('x'))).toBe(false);
  });

  it('is recognized when another copy of the package made it', () => {
    expect(isConnectError(Object.defineProperty({}, Symbol.for('sluice.ConnectError'), { value: true }))).toBe(true);
  });
});

describe('isRetriable', () => {
  it('is true for what is marked, whoever made it', () => {
    expect(isRetriable(new RetriableError('later'))).toBe(true);
    expect(isRetriable(Object.assign(new Error('busy'), { retriable: true }))).toBe(true);
  });

  it('is false for everything else', () => {
    expect([new ConnectError(ConnectErrorCode.internal, 'x'), new Error('x'), null, 'x', undefined].some(isRetriable)).toBe(false);
  });
});
