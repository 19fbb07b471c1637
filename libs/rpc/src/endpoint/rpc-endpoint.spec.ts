import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { OutboundMessage, RpcLink, RpcLinkListener } from '../contract/rpc-link.port.js';
import { nodeTag } from '../contract/node-tag.js';
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

describe('the options of an endpoint', () => {
  it.each([
    [{ topic: 'a b' }, "topic is 'a b'; allowed are letters, digits, '_', '-', '%' and '|'"],
    [{ callTimeoutMs: 5 }, 'callTimeoutMs is 5; expected a whole number of at least 1000'],
    [{ mapAddress: () => 'x' }, 'mapAddress is given; only addresses of a Proxy can be replaced'],
  ])('are refused with a code where they are out of range: %o', (given, message) => {
    const prepareGroup = (): Promise<void> => Promise.resolve();
    const options = { node: 'n1', topic: 'rpc', url: 'rocketmq://a:1', prepareGroup, ...given };
    const refused = { code: 'RPC_INVALID_OPTIONS', retriable: false, message };
    expect(() => new RpcEndpoint(options)).toThrow(expect.objectContaining(refused));
  });
});

describe('the state of an endpoint', () => {
  it('is that of its link, also where the link reported it before the start was proven', async () => {
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

describe('the log of an endpoint', () => {
  it('says that it is connected, that it reconnects, and that it is connected again', async () => {
    const link = new HalfLink();
    const lines: string[] = [];
    const at = (level: string) => (text: string) => void lines.push(`${level} ${text}`);
    const logger = { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
    const prepareGroup = (): Promise<void> => Promise.resolve();
    const options = { node: 'n1', topic: 'rpc', url: 'rocketmq://a:1', prepareGroup, logger };
    const endpoint = new RpcEndpoint(options, () => link);
    await endpoint.start();
    link.listener?.onState('ready');
    link.listener?.onState('connecting', new Error('broker-b cannot be reached'));
    link.listener?.onState('ready');
    link.listener?.onState('failed', new Error('no more'));
    link.listener?.onState('ready');
    await endpoint.stop();
    expect(lines).toEqual([
      "info The rpc transport of node 'n1' is connected",
      "warn The rpc transport of node 'n1' reconnects: broker-b cannot be reached",
      "info The rpc transport of node 'n1' is connected",
      "error The rpc transport of node 'n1' has failed: no more",
      "info The rpc transport of node 'n1' is connected",
    ]);
  });
});

describe('messages that cannot be read', () => {
  it('are acknowledged and counted each, and logged once in ten seconds', async () => {
    const now = jest.spyOn(Date, 'now');
    const link = new HalfLink();
    const acknowledged = jest.spyOn(link, 'ack');
    const warnings: string[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (text: string) => void warnings.push(text),
      error: () => undefined,
    };
    const prepareGroup = (): Promise<void> => Promise.resolve();
    const options = { node: 'n1', topic: 'rpc', url: 'rocketmq://a:1', prepareGroup, logger };
    const endpoint = new RpcEndpoint(options, () => link);
    await endpoint.start();
    const { acked, received } = endpoint.counters;
    acknowledged.mockClear();
    warnings.length = 0;
    const head = { tag: nodeTag('rpc', 'n1'), properties: new Map(), body: undefined, deliveryAttempt: 1, receipt: 0 };
    const receive = (count: number): void => {
      for (let at = 0; at < count; at += 1) link.listener?.onMessage({ ...head, messageId: 'm', problem: 'cut off' });
    };
    now.mockReturnValue(20_000_000);
    receive(100);
    now.mockReturnValue(20_010_000);
    receive(1);
    now.mockRestore();
    expect(warnings).toEqual([
      'Message m is dropped (malformed so far: 1): Message cannot be read: cut off',
      'Message m is dropped (malformed so far: 101): Message cannot be read: cut off',
    ]);
    await endpoint.stop();
    const { counters } = endpoint;
    expect(counters.malformed).toBe(101);
    expect([counters.received - received, counters.acked - acked]).toEqual([101, 101]);
    expect(acknowledged).toHaveBeenCalledTimes(101);
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
