import { describe, expect, it } from '@jest/globals';
import { choosePorts, fixedPorts } from './choose-ports.js';
import type { PlannedNode } from './cluster-plan.js';
import { freePorts, portUses } from './ports.js';
import { nodesOf } from './topology.js';

const single = nodesOf('a', '5.5.0', {});

function portsOf(nodes: readonly { readonly ports: unknown }[]): unknown[] {
  return nodes.map(({ ports }) => ports);
}

describe('fixedPorts', () => {
  const first = (asked: Parameters<typeof fixedPorts>[1], previous: readonly PlannedNode[] = []): unknown[] =>
    portsOf(single.map((identity) => fixedPorts(identity, asked, previous)));

  it("are RocketMQ's own for the first name server and broker", () => {
    expect(first({})).toEqual([{ listen: 9876 }, { listen: 10_911, grpc: 8081 }]);
  });

  it('are those asked for before those of the last start before the default', async () => {
    const asked = await freePorts();
    const previous = await choosePorts(single, { asked, previous: [] });
    expect(first({ broker: 11_911 }, previous)).toEqual([
      { listen: asked.namesrv },
      { listen: 11_911, grpc: asked.grpc, proxyRemoting: asked.proxyRemoting },
    ]);
  });

  it('are none of a proxy where there is none, nor any for further nodes', () => {
    const nodes = nodesOf('a', '4.9.7', { nameServers: 2, brokers: [{ name: 'x', replicas: 2 }] });
    expect(portsOf(nodes.map((identity) => fixedPorts(identity, { grpc: 8181 }, [])))).toEqual([
      { listen: 9876 },
      {},
      { listen: 10_911 },
      {},
    ]);
  });
});

describe('choosePorts', () => {
  it('gives every process ports that no other has, and the same at the next start', async () => {
    const topology = { nameServers: 2, controller: true, brokers: [{ name: 'x', replicas: 3 }, { name: 'y' }] };
    const identities = nodesOf('a', '5.5.0', topology);
    const nodes = await choosePorts(identities, { asked: await freePorts(), previous: [] });
    const uses = portUses(nodes);
    expect(uses).toHaveLength(3 + 4 * 3 + 2);
    expect(new Set(uses.map(({ port }) => port)).size).toBe(uses.length);
    expect(await choosePorts(identities, { asked: {}, previous: nodes })).toEqual(nodes);
  });

  it('refuses two uses of one port, naming both', async () => {
    await expect(choosePorts(single, { asked: { grpc: 10_909, proxyRemoting: 8080 }, previous: [] })).rejects.toThrow(
      'port 10909 is asked for twice: broker fast port (broker port - 2) and gRPC proxy',
    );
  });
});
