import { describe, expect, it } from '@jest/globals';
import { checkName, nodesOf, type TopologyOptions } from './topology.js';

describe('nodesOf', () => {
  it('makes one name server and one broker with the proxy by default', () => {
    expect(nodesOf('a', '5.5.0', {})).toEqual([
      { kind: 'namesrv', id: 'namesrv', hasController: false },
      {
        kind: 'broker',
        id: 'broker',
        brokerName: 'broker-a',
        brokerId: 0,
        role: 'ASYNC_MASTER',
        hasProxy: true,
        config: {},
      },
    ]);
  });

  it('numbers processes, gives each set a master and slaves, and the proxy to the first broker only', () => {
    const config = { flushDiskType: 'SYNC_FLUSH' };
    const brokers = [{ name: 'x', replicas: 3, role: 'SYNC_MASTER', config }, { name: 'y' }] as const;
    const nodes = nodesOf('a', '5.5.0', { nameServers: 2, brokers });
    expect(nodes.map(({ id }) => id)).toEqual(['namesrv', 'namesrv-2', 'broker', 'broker-2', 'broker-3', 'broker-4']);
    expect(nodes.slice(2)).toMatchObject([
      { brokerName: 'x', brokerId: 0, role: 'SYNC_MASTER', hasProxy: true, config },
      { brokerName: 'x', brokerId: 1, role: 'SLAVE', hasProxy: false, config },
      { brokerName: 'x', brokerId: 2, role: 'SLAVE', hasProxy: false, config },
      { brokerName: 'y', brokerId: 0, role: 'ASYNC_MASTER', hasProxy: false, config: {} },
    ]);
  });

  it('leaves ids and roles to the controller, which is in the first name server', () => {
    const nodes = nodesOf('a', '5.1.4', { nameServers: 2, controller: true, brokers: [{ name: 'x', replicas: 2 }] });
    expect(nodes).toEqual([
      { kind: 'namesrv', id: 'namesrv', hasController: true },
      { kind: 'namesrv', id: 'namesrv-2', hasController: false },
      { kind: 'broker', id: 'broker', brokerName: 'x', hasProxy: false, config: {} },
      { kind: 'broker', id: 'broker-2', brokerName: 'x', hasProxy: false, config: {} },
    ]);
  });

  it.each<[TopologyOptions, string]>([
    [{ nameServers: 0 }, 'topology.nameServers 0 given: 1 to 5 are allowed'],
    [{ brokers: [] }, 'topology.brokers is empty: at least one broker is needed'],
    [{ brokers: [{ name: 'x' }, { name: 'x' }] }, 'topology.brokers has x twice'],
    [{ brokers: [{ name: 'x', replicas: 1.5 }] }, 'topology.brokers x: replicas 1.5 given: 1 to 5 are allowed'],
    [{ brokers: [{ name: 'x y' }] }, 'broker name "x y": 1 to 64 letters, digits, "-" and "_" are allowed'],
    [
      { controller: true, brokers: [{ name: 'x', role: 'SYNC_MASTER' }] },
      'topology.brokers x: role SYNC_MASTER given, the controller gives out the roles',
    ],
  ])('refuses %j: %s', (topology, message) => {
    expect(() => nodesOf('a', '5.5.0', topology)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', message }));
  });

  it('leaves the proxy out on demand, and refuses it for a version without one', () => {
    expect(nodesOf('a', '5.5.0', { proxy: false })[1]).toMatchObject({ id: 'broker', hasProxy: false });
    expect(() => nodesOf('a', '5.1.4', { proxy: true })).toThrow(
      'topology.proxy is set: there is no proxy of RocketMQ 5.1.4, 5.5.0 has one',
    );
  });

  it('refuses a controller for a version without one', () => {
    expect(() => nodesOf('a', '4.9.7', { controller: true })).toThrow(
      'topology.controller is set: RocketMQ 4.9.7 has no controller, 5.1 and newer have',
    );
  });
});

describe('checkName', () => {
  it.each(['', 'a/b', '..', 'a b', 'x'.repeat(65)])('refuses the cluster name %j', (name) => {
    expect(() => {
      checkName('cluster', name);
    }).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
