import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { checkPortNumbers, checkPortsFree, freePorts, portUses, preferredOrFreePort } from './ports.js';

describe('freePorts', () => {
  it('gives out ports for every listener of a cluster without overlap', async () => {
    const ports = await freePorts();
    const used = portUses(ports).map(({ port }) => port);
    expect(new Set(used).size).toBe(6);
    expect(used).toEqual(expect.arrayContaining([ports.broker - 2, ports.broker + 1]));
    await expect(checkPortsFree(portUses(ports))).resolves.toBeUndefined();
  });
});

describe('checkPortNumbers', () => {
  it('refuses a port that two listeners would share, naming both', () => {
    expect(() => {
      checkPortNumbers({ namesrv: 9876, broker: 10_911, grpc: 10_909, proxyRemoting: 8080 });
    }).toThrow('port 10909 is asked for twice: broker fast port (broker port - 2) and gRPC proxy');
  });

  it('refuses a broker port whose fast port would be out of range', () => {
    expect(() => {
      checkPortNumbers({ namesrv: 9876, broker: 2, grpc: 8081, proxyRemoting: 8080 });
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
