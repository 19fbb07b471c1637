import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../errors.js';
import { formatAddress, parseMessagingUrl } from './messaging-url.js';

describe('parseMessagingUrl', () => {
  it('reads name servers and proxies', () => {
    expect(parseMessagingUrl('rocketmq://ns1:9876,ns2:9877')).toEqual({
      protocol: 'remoting',
      addresses: [
        { host: 'ns1', port: 9876 },
        { host: 'ns2', port: 9877 },
      ],
    });
    expect(parseMessagingUrl('rocketmq+grpc://proxy.example:8081/')).toEqual({
      protocol: 'grpc',
      addresses: [{ host: 'proxy.example', port: 8081 }],
    });
  });

  it('fills in the usual ports and drops repetitions', () => {
    expect(parseMessagingUrl('rocketmq://ns1, ns1:9876').addresses).toEqual([{ host: 'ns1', port: 9876 }]);
    expect(parseMessagingUrl('rocketmq+grpc://10.0.0.1').addresses).toEqual([{ host: '10.0.0.1', port: 8081 }]);
  });

  it('reads IPv6 addresses in brackets and writes them so', () => {
    const [address, other] = parseMessagingUrl('rocketmq+grpc://[::1]:8081,[fe80::2]').addresses;
    expect([address, other]).toEqual([
      { host: '::1', port: 8081 },
      { host: 'fe80::2', port: 8081 },
    ]);
    expect(formatAddress(address!)).toBe('[::1]:8081');
    expect(formatAddress({ host: 'a', port: 1 })).toBe('a:1');
  });

  it.each([
    ['localhost:9876', 'no scheme'],
    ['http://a:1', "the scheme 'http'"],
    ['toString://a:1', "the scheme 'toString'"],
    ['rocketmq://', "'' is not host:port"],
    ['rocketmq://a:1,', "'' is not host:port"],
    ['rocketmq://a:0', "port '0' of 'a'"],
    ['rocketmq://a:65536', "port '65536' of 'a'"],
    ['rocketmq://a:', "port '' of 'a'"],
    ['rocketmq://a:1x', "port '1x' of 'a'"],
    ['rocketmq://::1:9876', "'::1:9876' is not host:port"],
    ['rocketmq://a b:1', "'a b:1' is not host:port"],
    ['rocketmq://a:1/topic', "'/' is not allowed"],
    ['rocketmq://a:1?tls=true', "'?' is not allowed"],
  ])('refuses %s and says why', (url, reason) => {
    expect(() => parseMessagingUrl(url)).toThrow(InvalidArgumentError);
    expect(() => parseMessagingUrl(url)).toThrow(reason);
  });

  it.each(['rocketmq://key:s3cret@a:1', 'rocketmq+grpc://s3cret@a:1/x', 's3cret@rocketmq://a:1'])(
    'keeps what stands before an @ out of the error: %#',
    (url) => {
      const error = refusal(url);
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(String(error)).not.toContain('s3cret');
    },
  );
});

function refusal(url: string): unknown {
  try {
    return parseMessagingUrl(url);
  } catch (error) {
    return error;
  }
}
