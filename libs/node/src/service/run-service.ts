import 'reflect-metadata';
import type { Role } from '@sluice/core';
import { RpcEndpoint } from '@sluice/rpc';
import { ClusterNode } from '../cluster-node/cluster-node.js';
import { describeFailure } from '../errors/node-error.js';
import { ProcessLogger } from '../logging/process-logger.js';
import { nodeSettingsOf, type GivenNodeSettings } from '../settings/node-settings.js';
import { rpcUrl } from '../settings/cluster-address.js';
import { printSettings } from '../settings/print-settings.js';
import { readRoleArguments, readSettings, readTextFile } from '../settings/read-settings.js';
import { serve } from './serve.js';
import type { ServiceFactory } from './service.js';
import { prepareRpcGroup } from './start-rpc.js';

const exitCodes = { sound: 0, failed: 1 } as const;

/**
 * Runs one role until SIGTERM, SIGINT or the end of its supervisor: settings, node, Nest application, loops; and all of it backwards at the end.
 * With `--print-config` it shows the settings in force instead.
 */
export async function runService(role: Role, create: ServiceFactory): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new Error('the process was asked to stop'));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.channel) process.once('disconnect', stop);

  let failure: Error | undefined;
  let needsKill = false;
  const logger = new ProcessLogger('info');
  try {
    const settings = settingsOf(role, logger);
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
      await serve(node, () => createRpc(node), create, stopping.signal);
    } finally {
      needsKill = node.needsKill;
      await node.close();
    }
  } catch (error) {
    if (!stopping.signal.aborted) failure ??= error as Error;
  }
  if (failure !== undefined) logger.scoped(role).error(`${role} cannot continue: ${describeFailure(failure)}`);
  if (needsKill) process.kill(process.pid, 'SIGKILL');
  process.exit(failure === undefined ? exitCodes.sound : exitCodes.failed);
}

/** The settings of this process; undefined where they were to be shown only. @throws NodeSettingsError */
function settingsOf(role: Role, logger: ProcessLogger): GivenNodeSettings | undefined {
  const { printConfig, ...places } = readRoleArguments(process.argv.slice(2));
  const resolved = readSettings({ ...places, environment: process.env });
  const settings = nodeSettingsOf(role, resolved, readTextFile);
  if (printConfig) {
    process.stdout.write(`${printSettings(role, resolved)}\n`);
    return undefined;
  }
  logger.configure(settings.logLevel, settings.logFormat);
  for (const note of resolved.notes) logger.scoped('settings').warn(note);
  return settings;
}

function createRpc({ settings, logger, client, topics }: ClusterNode): RpcEndpoint {
  return new RpcEndpoint({
    node: settings.nodeId,
    topic: topics.rpc.name,
    url: rpcUrl(settings),
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    prepareGroup: (group, topic) => prepareRpcGroup(client, group, topic),
    logger: logger.scoped('rpc'),
  });
}
