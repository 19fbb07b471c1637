import { describe, expect, it } from '@jest/globals';
import { brokerProperties, checkClusterName, namesrvProperties, proxySettings } from './cluster-config.js';
import { clusterLayout } from './cluster-layout.js';

const input = {
  name: 'a',
  ports: { namesrv: 9876, broker: 10_911, grpc: 8081, proxyRemoting: 8080 },
  layout: clusterLayout('/data/a'),
  brokerConfig: {},
};

describe('configuration of a cluster', () => {
  it('derives names, addresses and the HA port of the broker', () => {
    expect(brokerProperties(input)).toMatchObject({
      brokerClusterName: 'a',
      brokerName: 'broker-a',
      brokerIP1: '127.0.0.1',
      bindAddress: '127.0.0.1',
      listenPort: '10911',
      haListenPort: '10912',
      namesrvAddr: '127.0.0.1:9876',
      storePathRootDir: '/data/a/store',
    });
  });

  it('creates neither topics nor groups unasked and leaves pull limits at their defaults', () => {
    const properties = brokerProperties(input);
    expect(properties).toMatchObject({ autoCreateTopicEnable: 'false', autoCreateSubscriptionGroup: 'false' });
    expect(Object.keys(properties).filter((key) => key.startsWith('maxTransfer'))).toEqual([]);
  });

  it('lets brokerConfig replace a default and add a property', () => {
    const brokerConfig = { flushDiskType: 'SYNC_FLUSH', fileReservedTime: '1' };
    expect(brokerProperties({ ...input, brokerConfig })).toMatchObject(brokerConfig);
  });

  it('refuses brokerConfig that would move the broker elsewhere', () => {
    expect(() => brokerProperties({ ...input, brokerConfig: { listenPort: '1', storePathRootDir: '/x' } })).toThrow(
      'brokerConfig sets listenPort, storePathRootDir',
    );
  });

  it('binds the namesrv to loopback', () => {
    expect(namesrvProperties(input)).toMatchObject({ listenPort: '9876', bindAddress: '127.0.0.1' });
  });

  it('runs the proxy inside the broker', () => {
    expect(proxySettings(input)).toMatchObject({ proxyMode: 'LOCAL', grpcServerPort: 8081, remotingListenPort: 8080 });
  });

  it.each(['', 'a/b', '..', 'a b', 'x'.repeat(65)])('refuses the cluster name %j', (name) => {
    expect(() => {
      checkClusterName(name);
    }).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
