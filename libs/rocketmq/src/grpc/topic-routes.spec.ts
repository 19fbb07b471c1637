import { describe, expect, it } from '@jest/globals';
import { protocol } from './protobuf.js';
import { grpcTarget } from './proxy-channels.js';
import { onlyBrokerAt, routeOf, writableBrokers } from './topic-routes.js';

const { READ, READ_WRITE, WRITE } = protocol.Permission;
type Queue = Parameters<typeof routeOf>[0][number];

function queue(name: string, permission: Queue['permission'], ...hosts: string[]): Queue {
  const addressesList = hosts.map((host) => ({ host, port: 8081 }));
  const endpoints = { scheme: protocol.AddressScheme.DOMAIN_NAME, addressesList };
  return { permission, broker: { name, id: 0, endpoints } };
}

describe('routeOf', () => {
  it('makes one broker of its queues: what any of them allows, the broker does', () => {
    const route = routeOf([queue('a', READ, 'p1'), queue('a', READ_WRITE, 'p1'), queue('b', READ, 'p2', 'p3')]);
    expect(route.brokers).toEqual([
      { brokerName: 'a', addresses: ['p1:8081'], isReadable: true, isWritable: true },
      { brokerName: 'b', addresses: ['p2:8081', 'p3:8081'], isReadable: true, isWritable: false },
    ]);
  });

  it('writes IPv6 addresses in brackets, and names the kind of each address to gRPC', () => {
    const [broker] = routeOf([queue('a', READ_WRITE, '::1')]).brokers;
    expect(broker?.addresses).toEqual(['[::1]:8081']);
    expect(grpcTarget('[::1]:8081')).toBe('ipv6:[::1]:8081');
    expect(grpcTarget('proxy:8081')).toBe('dns:proxy:8081');
  });
});

describe('writableBrokers', () => {
  it('leaves out brokers that only give out messages', () => {
    const route = routeOf([queue('a', READ, 'p1'), queue('b', WRITE, 'p1')]);
    expect(writableBrokers(route, 'topic').map(({ brokerName }) => brokerName)).toEqual(['b']);
    expect(() => writableBrokers(routeOf([queue('a', READ, 'p1')]), 'topic')).toThrow("'topic'; known: a");
  });
});

describe('onlyBrokerAt', () => {
  it('names a broker only where no other stands behind the same proxy', () => {
    const { brokers } = routeOf([queue('a', WRITE, 'p1'), queue('b', WRITE, 'p2'), queue('c', WRITE, 'p2')]);
    expect(onlyBrokerAt(brokers, 'p1:8081')).toBe('a');
    expect(onlyBrokerAt(brokers, 'p2:8081')).toBeUndefined();
  });
});
