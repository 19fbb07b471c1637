import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type OutboundMessage, type RpcLink, type RpcLinkListener } from '../contract/rpc-link.port.js';
import { RpcEndpoint } from './rpc-endpoint.js';

/** Gives back what is sent to it. One of its two brokers fails from the start. */
class HalfLink implements RpcLink {
  listener: RpcLinkListener | undefined;

  start(listener: RpcLinkListener): Promise<void> {
    this.listener = listener;
    listener.onState('ready');
    listener.onState('connecting', new Error('broker-b cannot be reached'));
    return Promise.resolve();
  }

  send(message: OutboundMessage): Promise<void> {
    this.listener?.onMessage({ ...message, messageId: 'm', deliveryAttempt: 1, receipt: undefined });
    return Promise.resolve();
  }

  ack(): Promise<void> {
    return Promise.resolve();
  }

  retryLater(): Promise<void> {
    return Promise.resolve();
  }

  pause(): void {
    // Nothing comes by itself.
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

describe('the state of an endpoint', () => {
  it('is that of its link, also where the link told it before the start was proven', async () => {
    const link = new HalfLink();
    const prepareGroup = (): Promise<void> => Promise.resolve();
    const endpoint = new RpcEndpoint({ node: 'n1', topic: 'rpc', url: 'rocketmq://a:1', prepareGroup }, () => link);
    await endpoint.start();
    expect(endpoint.state).toBe('connecting');
    link.listener?.onState('ready');
    expect(endpoint.state).toBe('ready');
    await endpoint.stop();
  });
});

/** Sends; what it would receive is refused. */
class RefusedLink extends HalfLink {
  override start(listener: RpcLinkListener): Promise<void> {
    listener.onState('failed', new Error('n1 may not subscribe'));
    return Promise.resolve();
  }
}

describe('a start without reception', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('says why nothing is received', async () => {
    jest.useFakeTimers();
    const prepareGroup = (): Promise<void> => Promise.resolve();
    const options = { node: 'n1', topic: 'rpc', url: 'rocketmq://a:1', prepareGroup, startupTimeoutMs: 1 };
    const endpoint = new RpcEndpoint(options, () => new RefusedLink());
    const started = expect(endpoint.start()).rejects.toThrow(/within 2000 ms .*: n1 may not subscribe$/);
    await jest.advanceTimersByTimeAsync(5_000);
    await started;
    expect(endpoint.state).toBe('failed');
  });
});
