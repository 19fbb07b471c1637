import { Controller, Get, Module, ServiceUnavailableException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ConfigCipher } from '@sluice/node';
import { createGateway } from './testing/create-gateway.js';
import { GatewayModule } from './gateway.module.js';
import type { NodeLogger } from './ports/gateway-ports.js';
import { ClusterView } from './view/cluster-view.js';
import { FakeLoggers } from './testing/gateway-client.js';
import { InMemoryCluster } from './testing/in-memory-cluster.js';

@Controller('health')
class ProbeController {
  @Get('ready')
  ready(): never {
    throw new ServiceUnavailableException({ status: 'error', details: { log: { status: 'down' } } });
  }
  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

const settings = {
  version: '1',
  commit: 'c',
  requestTimeoutMs: 90_000,
  maxStalenessMs: 30_000,
  maxBodyBytes: 1_048_576,
  completedAs: 'COMPLETED',
} as const;

describe('the gateway module', () => {
  it('boots with its ports and the routes of imported modules, and stops', async () => {
    const cluster = new InMemoryCluster();
    const logger: NodeLogger = {
      info: () => undefined,
      warn: () => undefined,
    };
    const ports = { commands: cluster, plugins: cluster, logger, loggers: new FakeLoggers(), cipher: new ConfigCipher('c', undefined) };
    const view = new ClusterView(cluster, settings);
    const app = await createGateway(GatewayModule.forPorts(view, ports, settings, ProbeModule), settings);
    expect(app.get(ClusterView)).toBe(view);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    expect(await (await fetch(`${url}/connectors`)).json()).toEqual([]);
    expect(await (await fetch(`${url}/health/live`, { headers: { accept: 'text/plain' } })).json()).toEqual({
      status: 'ok',
    });
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      status: 'error',
      details: { log: { status: 'down' } },
      error_code: 503,
      message: 'Service Unavailable Exception',
    });
    await app.close();
    await expect(fetch(`${url}/connectors`)).rejects.toThrow();
  });
});
