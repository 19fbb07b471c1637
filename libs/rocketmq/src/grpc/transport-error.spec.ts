import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from '../connection/call-deadline.js';
import { grpc, type ServiceError } from './protobuf.js';
import { transportError } from './transport-error.js';

function failure(code: ServiceError['code'], details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new grpc.Metadata() });
}

function codeOf(code: ServiceError['code'], details = 'why', signal?: AbortSignal): object {
  const call = { request: 'SendMessage', address: 'proxy:8081', deadline: new CallDeadline(1_000, signal) };
  return transportError(failure(code, details), call);
}

const { status } = grpc;

describe('transportError', () => {
  it('distinguishes a connection that never was from one that ended', () => {
    const refused = 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ';
    const unresolved = 'Name resolution failed for target dns:nobody:8081';
    const never = { code: 'CONNECT_FAILED', outcome: 'not-sent', retriable: true, address: 'proxy:8081' };
    expect(codeOf(status.UNAVAILABLE, refused)).toMatchObject(never);
    expect(codeOf(status.UNAVAILABLE, unresolved)).toMatchObject(never);
    const ended = { code: 'CONNECTION_CLOSED', outcome: 'unknown', retriable: true };
    expect(codeOf(status.UNAVAILABLE, 'Connection dropped')).toMatchObject(ended);
    expect(codeOf(status.CANCELLED, 'by the server')).toMatchObject(ended);
  });

  it('distinguishes TLS trouble from other trouble with a connection', () => {
    const details = 'No connection established. Last error: Error: self-signed certificate. Resolution note: ';
    expect(codeOf(status.UNAVAILABLE, details)).toMatchObject({ code: 'TLS_HANDSHAKE', retriable: false });
  });

  it('knows deadlines and aborts, after which the Proxy may still do what it was asked', () => {
    expect(codeOf(status.DEADLINE_EXCEEDED)).toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'unknown' });
    const aborted = AbortSignal.abort(new Error('enough'));
    expect(codeOf(status.CANCELLED, 'why', aborted)).toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'unknown' });
  });

  it('says how large an answer was', () => {
    const details = 'Received message larger than max (40000000 vs 33554432)';
    expect(codeOf(status.RESOURCE_EXHAUSTED, details)).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      frameBytes: 40_000_000,
      maxFrameBytes: 33_554_432,
    });
    expect(codeOf(status.RESOURCE_EXHAUSTED, 'too many streams')).toMatchObject({ code: 'FLOW_CONTROL' });
  });

  it.each([
    [status.UNAUTHENTICATED, 'AUTHENTICATION', false],
    [status.PERMISSION_DENIED, 'AUTHORIZATION', false],
    [status.UNIMPLEMENTED, 'BROKER_RESPONSE', false],
    [status.INTERNAL, 'BROKER_RESPONSE', true],
    [status.UNKNOWN, 'BROKER_RESPONSE', true],
  ])('gRPC status %d is %s, retriable %s', (code, expected, retriable) => {
    expect(codeOf(code)).toMatchObject({ code: expected, retriable });
  });
});
