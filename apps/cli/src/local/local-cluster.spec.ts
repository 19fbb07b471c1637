import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLocalCluster } from './local-cluster.js';

describe('a local cluster whose port somebody else has', () => {
  let home: string;
  let server: Server;
  let taken: number;
  let said: string[];

  beforeEach(async () => {
    said = [];
    jest.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    home = mkdtempSync(join(tmpdir(), 'sluice-local-ports-'));
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    taken = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    jest.restoreAllMocks();
    server.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('does not start when it is the port for REST, and names the setting', async () => {
    const ports = { namesrv: taken, broker: 10911, grpc: 8081 };
    const environment = { SLUICE_HOME: home, SLUICE_HTTP_PORT: String(taken) };
    await expect(runLocalCluster({ demo: false, file: undefined, brokerName: undefined, ports }, environment)).rejects.toThrow(
      new RegExp(`^port ${taken} \\(REST of the gateway\\) taken by pid ${process.pid} .*\\nSet SLUICE_HTTP_PORT to choose another$`),
    );
    expect(said).toEqual([]);
  });

  it('does not start when it is a port of RocketMQ, and names the options', async () => {
    const ports = { namesrv: taken, broker: 10911, grpc: 8081 };
    const environment = { SLUICE_HOME: home, SLUICE_HTTP_PORT: '0' };
    const starting = runLocalCluster({ demo: false, file: undefined, brokerName: undefined, ports }, environment);
    await expect(starting).rejects.toThrow(`port ${taken} (namesrv) taken by pid ${process.pid}`);
    expect(said.join('\n')).not.toMatch(/Stopp/);
    await expect(starting).rejects.toThrow('Choose others with --namesrv-port, --broker-port and --grpc-port');
  });
});
