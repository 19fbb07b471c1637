#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { initCommand } from './init-command.js';
import { runLocalCluster } from './local/local-cluster.js';

const usage = `sluice <command>

  init   [--cluster ID] [--broker NAME]   creates the topics of a Connect cluster in RocketMQ; does nothing when they are there
  local  [--demo]                         runs one of each role, and RocketMQ where SLUICE_NAMESRV is not set, in the foreground

Where RocketMQ is: SLUICE_NAMESRV (default 127.0.0.1:9876) and SLUICE_GRPC (default: that host, port 8081).`;

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  init: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { cluster: { type: 'string' }, broker: { type: 'string' } },
    });
    await initCommand(values.cluster ?? process.env['SLUICE_CLUSTER_ID'] ?? 'default', values.broker, process.env);
  },
  local: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { demo: { type: 'boolean', default: false } } });
    await runLocalCluster({ demo: values.demo }, process.env);
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  console.error(name === '' || name === '--help' ? usage : `There is no command "${name}".\n\n${usage}`);
  process.exitCode = name === '--help' ? 0 : 2;
} else {
  try {
    await command(args);
  } catch (error) {
    console.error(`sluice ${name}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
