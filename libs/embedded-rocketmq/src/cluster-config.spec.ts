import { describe, expect, it } from '@jest/globals';
import { brokerProperties, logbackConfig, namesrvProperties, proxySettings } from './cluster-config.js';
import { clusterLayout, nodeLayout } from './cluster-layout.js';
import {
  type BrokerNode,
  brokersOf,
  type PlannedNode,
  type ClusterPlan,
  DEFAULT_HEAP_SIZES,
  NO_TLS,
  type NameServerNode,
  nameServersOf,
} from './cluster-plan.js';
import { PULL_LIMITS, ROCKETMQ_PULL_LIMITS } from './pull-limits.js';
import { nodesOf, type TopologyOptions } from './topology.js';

/** Ports 9876, 9877, … (controller: 9000) and 10911, 10921, …, as if they had been chosen. */
function plan(topology: TopologyOptions = {}, brokerConfig: Record<string, string> = {}): ClusterPlan {
  let namesrv = 9876;
  let broker = 10_911;
  const nodes = nodesOf('a', '5.5.0', topology).map((node): PlannedNode => {
    if (node.kind === 'namesrv') return { ...node, ports: { listen: namesrv++, ...(node.hasController ? { controller: 9000 } : {}) } };
    const ports = { listen: broker, ...(node.hasProxy ? { grpc: 8081, proxyRemoting: 8080 } : {}) };
    broker += 10;
    return { ...node, ports };
  });
  return { name: 'a', version: '5.5.0', topology, nodes, heap: DEFAULT_HEAP_SIZES, brokerConfig, tls: NO_TLS };
}

function broker(from: ClusterPlan, index = 0): BrokerNode {
  return brokersOf(from.nodes)[index]!;
}

function nameServer(from: ClusterPlan, index = 0): NameServerNode {
  return nameServersOf(from.nodes)[index]!;
}

function brokerConf(from: ClusterPlan, index = 0): Readonly<Record<string, string>> {
  const node = broker(from, index);
  return brokerProperties(node, from, nodeLayout(clusterLayout('/data/a'), node));
}

function namesrvConf(from: ClusterPlan, index = 0): Readonly<Record<string, string>> {
  const node = nameServer(from, index);
  return namesrvProperties(node, nodeLayout(clusterLayout('/data/a'), node));
}

describe('configuration of a cluster', () => {
  it('derives names, addresses and the HA port of the broker', () => {
    expect(brokerConf(plan())).toMatchObject({
      brokerClusterName: 'a',
      brokerName: 'broker-a',
      brokerId: '0',
      brokerRole: 'ASYNC_MASTER',
      brokerIP1: '127.0.0.1',
      bindAddress: '127.0.0.1',
      listenPort: '10911',
      haListenPort: '10912',
      namesrvAddr: '127.0.0.1:9876',
      storePathRootDir: '/data/a/store',
    });
  });

  it('creates neither topics nor groups unasked', () => {
    expect(brokerConf(plan())).toMatchObject({ autoCreateTopicEnable: 'false', autoCreateSubscriptionGroup: 'false' });
  });

  it('raises three limits of a pull, and leaves the bytes of one from memory to RocketMQ', () => {
    const limits = (properties: Readonly<Record<string, string>>): [string, string][] =>
      Object.entries(properties).filter(([key]) => key.startsWith('maxTransfer'));
    expect(limits(brokerConf(plan()))).toEqual(Object.entries(PULL_LIMITS));
    expect(limits(brokerConf(plan({}, ROCKETMQ_PULL_LIMITS)))).toEqual(Object.entries(ROCKETMQ_PULL_LIMITS));
  });

  it('lets brokerConfig replace a default and add a property, and a set replace that', () => {
    const brokerConfig = { flushDiskType: 'SYNC_FLUSH', fileReservedTime: '1' };
    expect(brokerConf(plan({}, brokerConfig))).toMatchObject(brokerConfig);
    const brokers = [{ name: 'x', config: { fileReservedTime: '2' } }, { name: 'y' }];
    expect(brokerConf(plan({ brokers }, brokerConfig))['fileReservedTime']).toBe('2');
    expect(brokerConf(plan({ brokers }, brokerConfig), 1)['fileReservedTime']).toBe('1');
  });

  it('refuses brokerConfig that would move the broker elsewhere or change its role', () => {
    const brokerConfig = { listenPort: '1', storePathRootDir: '/x', controllerAddr: 'y', brokerRole: 'SLAVE' };
    expect(() => brokerConf(plan({}, brokerConfig))).toThrow('brokerConfig sets listenPort, storePathRootDir, controllerAddr, brokerRole');
  });

  it('gives a slave its id, role, ports and folder, and every broker all name servers', () => {
    const slave = brokerConf(plan({ nameServers: 2, brokers: [{ name: 'x', replicas: 2 }] }), 1);
    expect(slave).toMatchObject({
      brokerName: 'x',
      brokerId: '1',
      brokerRole: 'SLAVE',
      listenPort: '10921',
      haListenPort: '10922',
      namesrvAddr: '127.0.0.1:9876;127.0.0.1:9877',
      storePathRootDir: '/data/a/broker-2/store',
    });
    expect(slave['enableControllerMode']).toBeUndefined();
  });

  it('binds the name server to loopback, and has no controller unasked', () => {
    expect(namesrvConf(plan())).toMatchObject({ listenPort: '9876', bindAddress: '127.0.0.1' });
    expect(namesrvConf(plan())['enableControllerInNamesrv']).toBeUndefined();
  });

  it('runs a controller of one in the first name server, where brokers get their ids and roles', () => {
    const controlled = plan({ nameServers: 2, controller: true, brokers: [{ name: 'x', replicas: 2 }] });
    expect(namesrvConf(controlled)).toMatchObject({
      enableControllerInNamesrv: 'true',
      controllerDLegerPeers: 'n0-127.0.0.1:9000',
      controllerDLegerSelfId: 'n0',
      controllerStorePath: '/data/a/store/controller',
      enableElectUncleanMaster: 'false',
    });
    expect(namesrvConf(controlled, 1)['enableControllerInNamesrv']).toBeUndefined();
    const properties = brokerConf(controlled, 1);
    expect(properties).toMatchObject({
      enableControllerMode: 'true',
      controllerAddr: '127.0.0.1:9000',
      allAckInSyncStateSet: 'true',
    });
    expect(properties).not.toHaveProperty('brokerId');
    expect(properties).not.toHaveProperty('brokerRole');
  });

  it('runs the proxy inside the broker', () => {
    const one = plan();
    expect(proxySettings(broker(one), one)).toMatchObject({
      proxyMode: 'LOCAL',
      grpcServerPort: 8081,
      remotingListenPort: 8080,
    });
  });
});

describe('logbackConfig', () => {
  it('writes the file name as XML text', () => {
    expect(logbackConfig('/a & b/<c>.log')).toContain('<file>/a &#38; b/&#60;c&#62;.log</file>');
  });
});
