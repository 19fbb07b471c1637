import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { PlannedNode } from './cluster-plan.js';
import { checkPortNumbers, checkPortsFree, type ClusterPorts, freeBlock, freePorts, portUses, preferredOrFreePort } from './ports.js';

function nodesWith({ namesrv, broker, grpc, proxyRemoting }: ClusterPorts): PlannedNode[] {
  return [
    { kind: 'namesrv', id: 'namesrv', hasController: false, ports: { listen: namesrv } },
    {
      kind: 'broker',
      id: 'broker',
      brokerName: 'broker-a',
      hasProxy: true,
      config: {},
      ports: { listen: broker, grpc, proxyRemoting },
    },
  ];
}

describe('freePorts', () => {
  it('gives out ports for every listener of a cluster without overlap', async () => {
    const ports = await freePorts();
    const uses = portUses(nodesWith(ports));
    const used = uses.map(({ port }) => port);
    expect(new Set(used).size).toBe(6);
    expect(used).toEqual(expect.arrayContaining([ports.broker - 2, ports.broker + 1]));
    await expect(checkPortsFree(uses)).resolves.toBeUndefined();
  });
});

describe('freeBlock', () => {
  it('leaves out ports that are taken already', async () => {
    const taken = new Set(Array.from({ length: 12_000 }, (_, index) => 20_000 + index));
    await expect(freeBlock([0], taken)).rejects.toMatchObject({ code: 'PORT_TAKEN', retriable: true });
    taken.clear();
    await expect(freeBlock([0, 2, 3], taken)).resolves.toBeGreaterThanOrEqual(20_000);
  });

  const allBut = (port: number): Set<number> =>
    new Set(Array.from({ length: 12_000 }, (_, index) => 20_000 + index).filter((other) => other !== port));

  it('gives nobody a port that it has given out, though nobody listens on it yet', async () => {
    const given = await freeBlock([0]);
    await expect(checkPortsFree([{ port: given, use: 'namesrv' }])).resolves.toBeUndefined();
    await expect(freeBlock([0], allBut(given))).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });

  it('gives out no port that another process has reserved, until that process ends', async () => {
    const reserving = `require('node:dgram').createSocket('udp4').bind({ address: '127.0.0.1', port: Number(process.argv[1]) }, () => console.log('reserved'))`;
    const port = randomInt(20_000, 31_999);
    const other = spawn(process.execPath, ['-e', reserving, '--', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(other.stdout, 'data');
      await expect(freeBlock([0], allBut(port))).rejects.toMatchObject({ code: 'PORT_TAKEN' });
    } finally {
      const ended = once(other, 'exit');
      other.kill('SIGKILL');
      await ended;
    }
    await expect(freeBlock([0], allBut(port))).resolves.toBe(port);
  });
});

describe('checkPortNumbers', () => {
  it('refuses a port that two listeners would share, naming both', () => {
    expect(() => {
      checkPortNumbers(nodesWith({ namesrv: 9876, broker: 10_911, grpc: 10_909, proxyRemoting: 8080 }));
    }).toThrow('port 10909 is asked for twice: broker fast port (broker port - 2) and gRPC proxy');
  });

  it('refuses a broker port whose fast port would be out of range', () => {
    expect(() => {
      checkPortNumbers(nodesWith({ namesrv: 9876, broker: 2, grpc: 8081, proxyRemoting: 8080 }));
    }).toThrow('port 0 given, 1 to 65535 are allowed');
  });
});

describe('checkPortsFree', () => {
  it('names the port, its use and the process that has it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port was given out');
      await expect(checkPortsFree([{ port: address.port, use: 'namesrv' }])).rejects.toMatchObject({
        code: 'PORT_TAKEN',
        retriable: true,
        message: expect.stringMatching(`^port ${address.port} \\(namesrv\\) taken by pid ${process.pid} \\(`),
      });
      await expect(preferredOrFreePort(address.port)).resolves.not.toBe(address.port);
      const free = (await freePorts()).grpc;
      await expect(preferredOrFreePort(free)).resolves.toBe(free);
      await expect(preferredOrFreePort(free, new Set([free]))).resolves.not.toBe(free);
    } finally {
      server.close();
    }
  });
});
