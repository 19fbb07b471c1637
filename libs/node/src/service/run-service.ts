import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { untilAborted } from '@sluice/time';
import { NestFactory } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Role } from '@sluice/core';
import { ClusterNode } from '../cluster-node/cluster-node.js';
import { ProcessLogger } from '../logging/process-logger.js';
import { nodeSettingsOf, type GivenNodeSettings, type NodeSettings } from '../settings/node-settings.js';
import { noProxy } from '../settings/cluster-address.js';
import { printSettings } from '../settings/print-settings.js';
import type { SettingChecks } from '../settings/setting-checks.js';
import { readRoleArguments, readSettings, readTextFile } from '../settings/read-settings.js';
import { RocketMqServer, RpcEndpoint } from '@sluice/rpc';
import { endConnections } from './end-connections.js';
import { prepareRpcGroup } from './prepare-rpc-group.js';
import { reachableAddress } from './reachable-address.js';
import type { Service, ServiceFactory } from './service.js';
import { startRpc } from './start-rpc.js';

const exitCodes = { sound: 0, failed: 1 } as const;

const portProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be opened by this user',
  EADDRNOTAVAIL: 'is on an address that this machine does not have',
};

/** Thrown when a node cannot listen at its HTTP address; says why and which settings to change. */
class HttpPortError extends Error {
  override readonly name = 'HttpPortError';

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const why = portProblems[cause.code ?? ''] ?? `cannot be opened: ${cause.message}`;
    const advice = 'Set SLUICE_HTTP_PORT (http.port) or SLUICE_HTTP_HOST (http.host) to choose another';
    super(`Port ${String(port)} of ${host} ${why}. ${advice}`, { cause });
  }
}

/**
 * Runs one role until SIGTERM, SIGINT or the end of its supervisor: settings, node, Nest application, loops; and all of it backwards at the end.
 * With `--print-config` it shows the settings in force instead.
 */
export async function runService(role: Role, create: ServiceFactory, checks: SettingChecks = {}): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new Error('the process was asked to stop'));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.channel) process.once('disconnect', stop);

  let failure: Error | undefined;
  const logger = new ProcessLogger('info');
  try {
    const settings = settingsOf(role, logger, checks);
    if (settings === undefined) process.exit(exitCodes.sound);
    const node = await ClusterNode.open(settings, logger, stopping.signal);
    node.onFailure((error) => {
      failure ??= error;
      stop();
    });
    process.once('uncaughtException', (error: Error) => {
      node.fail(error);
    });
    try {
      await serve(node, create, stopping.signal);
    } finally {
      await node.close();
    }
  } catch (error) {
    if (!stopping.signal.aborted) failure ??= error as Error;
  }
  if (failure !== undefined) logger.scoped(role).error(`${role} cannot continue: ${describeFailure(failure)}`);
  process.exit(failure === undefined ? exitCodes.sound : exitCodes.failed);
}

/** The settings of this process; undefined where they were to be shown only. @throws NodeSettingsError */
function settingsOf(role: Role, logger: ProcessLogger, checks: SettingChecks): GivenNodeSettings | undefined {
  const { printConfig, ...places } = readRoleArguments(process.argv.slice(2));
  const resolved = readSettings({ ...places, environment: process.env, checks });
  const settings = nodeSettingsOf(role, resolved, readTextFile);
  if (printConfig) {
    process.stdout.write(`${printSettings(role, resolved)}\n`);
    return undefined;
  }
  logger.setThreshold(settings.logLevel);
  for (const note of resolved.notes) logger.scoped('settings').warn(note);
  return settings;
}

/** Errors with a name of their own say what to do; of all others the stack is needed. */
function describeFailure(error: Error): string {
  const isNamed = error.name.endsWith('Error') && error.constructor !== Error && !(error instanceof TypeError);
  return isNamed ? error.message : (error.stack ?? error.message);
}

async function serve(node: ClusterNode, create: ServiceFactory, signal: AbortSignal): Promise<void> {
  const { settings, logger } = node;
  const createRpc = (): RpcEndpoint =>
    new RpcEndpoint({
      node: settings.nodeId,
      topic: node.topics.rpc.name,
      url: rpcUrl(settings),
      ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
      prepareGroup: (group, topic) => prepareRpcGroup(node.client, group, topic),
      logger: logger.scoped('rpc'),
    });
  const rpc = await startRpc(createRpc, logger.scoped('rpc'), signal);
  const service = await create(node, rpc);
  let app: INestApplication | undefined;
  try {
    app = await listen(node, rpc, service);
    await service.start();
    logger.scoped(settings.role).info(`Node ${settings.nodeId} is up: ${await app.getUrl()}/health/ready`);
    await untilAborted(signal);
    logger.scoped(settings.role).info('Stopping');
  } finally {
    if (app !== undefined) endConnections(app.getHttpServer() as Server);
    await service.stop();
    await app?.close();
    await rpc.stop();
  }
}

function rpcUrl({ grpc, namesrv }: NodeSettings): string {
  return grpc === noProxy ? `rocketmq://${namesrv}` : `rocketmq+grpc://${grpc}`;
}

async function listen(node: ClusterNode, rpc: RpcEndpoint, service: Service): Promise<INestApplication> {
  const { settings, logger } = node;
  const app = await NestFactory.create<NestExpressApplication>(service.module, {
    logger: logger.quiet(),
    bodyParser: false,
    abortOnError: false,
  });
  service.configure?.(app);
  app.connectMicroservice({ strategy: new RocketMqServer(rpc) }, { inheritAppConfig: false });
  await app.startAllMicroservices();
  const { httpHost, httpPort } = settings;
  await app.listen(httpPort, httpHost).catch((error: unknown) => {
    throw new HttpPortError(httpHost, httpPort, error as Error);
  });
  node.http = reachableAddress(app.getHttpServer().address() as AddressInfo, hostname());
  return app;
}
