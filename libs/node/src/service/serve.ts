import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { untilAborted } from '@sluice/time';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { RocketMqServer, type RpcEndpoint } from '@sluice/rpc';
import type { ClusterNode } from '../cluster-node/cluster-node.js';
import { endConnections, listen, reachableAddress } from './http-server.js';
import type { Service, ServiceFactory } from './service.js';
import { startRpc } from './start-rpc.js';

/** What serving takes of a node. */
export type ServedNode = Pick<ClusterNode, 'settings' | 'logger' | 'listensAt'>;

/**
 * Starts a role on an open node, serves until `signal` is aborted, and stops what was started. It does so also where the role cannot be created
 * or started, and where one part fails to stop.
 */
export async function serve<Node extends ServedNode>(
  node: Node,
  createRpc: () => RpcEndpoint,
  create: ServiceFactory<Node>,
  signal: AbortSignal,
): Promise<void> {
  const { settings, logger } = node;
  const rpc = await startRpc(createRpc, logger.scoped('rpc'), signal);
  let service: Service | undefined;
  let app: NestExpressApplication | undefined;
  try {
    service = await create(node, rpc);
    app = await createApplication(node, service);
    await open(app, node, rpc, service);
    await service.start();
    logger.scoped(settings.role).info(`Node ${settings.nodeId} is up: ${await app.getUrl()}/health/ready`);
    await untilAborted(signal);
    logger.scoped(settings.role).info('Stopping');
  } finally {
    if (app !== undefined) endConnections(app.getHttpServer());
    await inTurn(
      () => service?.stop(),
      () => app?.close(),
      () => rpc.stop(),
    );
  }
}

function createApplication({ logger }: ServedNode, { module }: Service): Promise<NestExpressApplication> {
  const options = { logger: logger.forFramework(), bodyParser: false, abortOnError: false };
  return NestFactory.create<NestExpressApplication>(module, options);
}

async function open(app: NestExpressApplication, node: ServedNode, rpc: RpcEndpoint, service: Service): Promise<void> {
  service.configure?.(app);
  app.connectMicroservice({ strategy: new RocketMqServer(rpc) }, { inheritAppConfig: false });
  await app.startAllMicroservices();
  const server = await listen(app, node.settings.httpHost, node.settings.httpPort);
  node.listensAt(reachableAddress(server.address() as AddressInfo, hostname()));
}

/** Makes all calls, one after the other. @throws what the first call that fails throws */
async function inTurn(...calls: readonly (() => Promise<void> | undefined)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const call of calls) {
    try {
      await call();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
