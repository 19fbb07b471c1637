import { describe, expect, it } from '@jest/globals';
import { CoreError } from '@sluice/core';
import { ClusterIdError, MalformedMessageError } from '@sluice/protocol';
import { TopicNotFoundError } from '@sluice/rocketmq';
import { RpcError } from '@sluice/rpc';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { ClusterNotInitialisedError } from '../log/open-log.js';
import { describeFailure, NodeError } from './node-error.js';

class UnforeseenError extends Error {
  override readonly name = 'UnforeseenError';
}

describe('an error that ends a process', () => {
  it.each([
    new NodeError('LEASE_LOST', 'the lease has ended'),
    new ClusterNotInitialisedError('Topic sluice-a-log does not exist', 'a'),
    new CoreError('SNAPSHOT_MISSING', 'the beginning is gone'),
    new ClusterIdError('a b'),
    new MalformedMessageError('reports', 'it is cut off'),
    new TopicNotFoundError('sluice-a-log'),
    new RpcError('RPC_STARTUP_FAILED', 'no proxy there'),
    new ConnectError(ConnectErrorCode.conflict, 'two connectors have one name'),
  ])('is its message where it is of a root: %s', (error) => {
    expect(describeFailure(error)).toBe(error.message);
  });

  it.each([
    new Error('of nobody'),
    new TypeError('x is not a function'),
    new UnforeseenError('though its name ends like that'),
    Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }),
  ])('is its stack where nobody foresaw it: %s', (error) => {
    expect(describeFailure(error)).toBe(error.stack);
  });

  it('has the name of its class, a code, and whether the same may succeed later', () => {
    const error = new ClusterNotInitialisedError('Topic sluice-a-log does not exist', 'a');
    expect(error).toMatchObject({
      name: 'ClusterNotInitialisedError',
      code: 'CLUSTER_NOT_INITIALISED',
      retriable: false,
    });
  });
});
