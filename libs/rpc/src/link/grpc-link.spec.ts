import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ConnectFailedError,
  type MessageReceiver,
  type MessagingCluster,
  type openMessaging,
  type ReceivedMessage,
  type RocketMqError,
} from '@sluice/rocketmq';
import { resolveRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import type { InboundMessage, RpcLinkState } from '../contract/rpc-link.port.js';
import { GrpcLink } from './grpc-link.js';

const options = resolveRpcEndpointOptions({
  node: 'n1',
  topic: 'rpc',
  url: 'rocketmq+grpc://proxy:8081',
  prepareGroup: () => Promise.resolve(),
});
const message = { messageId: 'm', tag: 'n1', properties: new Map(), body: Buffer.from('{}'), deliveryAttempt: 1 };

/** A receiver of two brokers: one always has a message, the other one fails as long as `failure` says so. */
class FakeReceiver implements Pick<MessageReceiver, 'receive' | 'failure'> {
  failure: RocketMqError | undefined;

  async receive(): Promise<ReceivedMessage[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return [message as unknown as ReceivedMessage];
  }
}

let link: GrpcLink | undefined;
afterEach(() => link?.stop());

describe('GrpcLink', () => {
  it('inflates no body beyond the limit of a message', async () => {
    const limits: unknown[] = [];
    const open: typeof openMessaging = (_url, given) => {
      limits.push(given?.grpc?.maxBodyBytes);
      return Promise.reject(new Error('not opened'));
    };
    const listener = { onMessage: () => undefined, onState: () => undefined };
    await expect(new GrpcLink(options, open).start(listener)).rejects.toThrow('not opened');
    expect(limits).toEqual([options.maxBodyBytes]);
  });

  it('is not ready while one broker fails and another one has messages', async () => {
    const receiver = new FakeReceiver();
    const cluster = { sender: () => ({}), receiver: () => receiver, close: () => Promise.resolve() };
    link = new GrpcLink(options, () => Promise.resolve(cluster as unknown as MessagingCluster));
    const states: RpcLinkState[] = [];
    let received: (message: InboundMessage) => void = () => undefined;
    const next = (): Promise<InboundMessage> => new Promise((resolve) => (received = resolve));
    await link.start({
      onMessage: (each) => {
        received(each);
      },
      onState: (state) => states.push(state),
    });
    await next();
    receiver.failure = new ConnectFailedError('broker-b', 'refused');
    await next();
    await next();
    receiver.failure = undefined;
    await next();
    await next();
    expect(states).toEqual(['ready', 'connecting', 'ready']);
  });
});
