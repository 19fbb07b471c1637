#!/usr/bin/env node
import { readCommandSettings } from './commands/command-settings.js';
import { dlqCommand } from './commands/dlq-command.js';
import { initCommand } from './commands/init-command.js';
import { parseOptions } from './commands/parse-options.js';
import { severalLines } from './dead-letters/letter-text.js';
import { runLocalCluster } from './local/local-cluster.js';
import { restoreCommand } from './commands/restore-command.js';
import { gatewayAddress } from './commands/gateway.js';
import { replicateCommand } from './commands/replicate-command.js';
import { secretsArguments, secretsCommand } from './commands/secrets-command.js';
import { verifyCommand } from './commands/verify-command.js';

const USAGE = `sluice <command>

  init   [--cluster ID]                   checks whether the topics of a Connect cluster are in RocketMQ; creates nothing
  init --new --broker NAME [--cluster ID] creates them for a new Connect cluster, on that broker; does nothing when they are there
  init --add-missing [--cluster ID]       creates those that are missing, empty, where the log is there
  restore --from DIR [--from DIR ...] [--cluster ID] [--broker NAME] [--yes]
                                          rebuilds the topics of a Connect cluster that were wiped from the files of nodes, each in
                                          <store path>/<node id>; shows what it would write, and writes it with --yes
  local  [--demo] [--namesrv-port N] [--broker-port N] [--grpc-port N] [--broker NAME]
                                          runs one of each role, and RocketMQ where nobody says where it is, in the foreground;
                                          RocketMQ's ports are 9876, 10911 and 8081 where nothing else is given; its first start creates
                                          the topics, in a RocketMQ that is given only on a broker that --broker names
  dlq list    --topic T [filters] [--limit N] [--all]
                                          lists dead letters that were not redriven, or all
  dlq show    --topic T --queue Q --offset N [--body text|json|hex]
                                          shows all that one letter holds
  dlq redrive --topic T [filters] [--limit N] [--dry-run] [--rate N] [--to TOPIC] [--source-letters as-json] [--max-redrives N]
                                          puts the records of dead letters back on their topics, each once; continues where the last one ended.
                                          Exit code 3: letters that pass the filters were not sent; 1: it ended before all were looked at
  secrets status [--gateway URL]          shows which connectors need an older key of secrets.key.file than the first one
  secrets rotate [--gateway URL] [--connector NAME ...] [--dry-run] [--wait SECONDS]
                                          has a gateway encrypt them with the first key: their tasks restart; ends with 0 once no connector
                                          needs an older key, with 1 before; may be repeated

  replicate --from URL --to URL (--topics A,B | --topics-regex R) [--name NAME] [--two-way] [--gateway URL] [--dry-run] [--update]
         [--wait SECONDS] [--topic-rename R] [--start-from S] [--set KEY=VALUE ...]
                                          sets up a flow from one cluster to another, and back, and waits until it runs; shows what it would
                                          do with --dry-run. Other settings of the connector are options too: --topics-exclude, --tasks-max,
                                          ...; with --update they replace those of a flow that is there. Keys as with verify
  verify --from URL --to URL (--topics A,B | --topics-regex R) [--connector NAME] [--target-topic PATTERN] [--queue-map A=B,...]
         [--state FILE] [--rate N] [--parallel N] [--complete] [--from-first-copy] [--json]
                                          compares topics of two clusters with what a flow has copied, queue by queue, and names the offsets
                                          that are missing, duplicate, out of order or different. URL: rocketmq://HOST:PORT of name servers.
                                          Keys: SLUICE_FROM_ACCESS_KEY, _SECRET_KEY, SLUICE_TO_..., or --from-access-key-file and its like.
                                          Exit code 0: equal; 1: different; 2: wrong words; 3: not all could be compared, or is copied;
                                          4: it ended early

Filters of dlq: --stage STAGE, --class EXCEPTION, --connector NAME, each several times; --from-time and --to-time TIME. Each dlq command takes
--output table|json, and --side sink|source where sinks and sources have their topics in different clusters.

Each takes -c FILE or --config FILE: a connect.conf or YAML with the settings of the nodes. Where RocketMQ is: SLUICE_NAMESRV (default
127.0.0.1:9876) and SLUICE_GRPC (default: that host, port 8081), or namesrv and grpc in that file.`;

const configOption = { config: { type: 'string', short: 'c' } } as const;

function portOf(option: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const port = Number(given);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Error(`${option} is "${given}"; allowed are whole numbers from 1 to 65535`);
}

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  dlq: async (args) => {
    process.exitCode = await dlqCommand(args, process.env);
  },
  init: async (args) => {
    const values = parseOptions('sluice init', args, {
      ...configOption,
      cluster: { type: 'string' },
      broker: { type: 'string' },
      new: { type: 'boolean', default: false },
      'add-missing': { type: 'boolean', default: false },
    });
    if (values.new && values['add-missing']) throw new Error('--new and --add-missing are both given; give one of them');
    const { clusterId, runtimeCluster, storePath } = readCommandSettings(values.config, process.env);
    const purpose = values.new ? 'create' : values['add-missing'] ? 'add-missing' : 'check';
    const cluster = values.cluster ?? clusterId;
    await initCommand({ clusterId: cluster, purpose, brokerName: values.broker, storePath }, runtimeCluster);
  },
  restore: async (args) => {
    const values = parseOptions('sluice restore', args, {
      ...configOption,
      from: { type: 'string', multiple: true, default: [] },
      cluster: { type: 'string' },
      broker: { type: 'string' },
      yes: { type: 'boolean', default: false },
    });
    const settings = readCommandSettings(values.config, process.env);
    const clusterId = values.cluster ?? settings.clusterId;
    const options = { clusterId, brokerName: values.broker, from: values.from, isConfirmed: values.yes };
    await restoreCommand(options, settings);
  },
  secrets: async (args) => {
    const { config, gateway, ...options } = secretsArguments(args);
    const address = gateway ?? `http://127.0.0.1:${readCommandSettings(config, process.env).httpPort}`;
    const isDone = await secretsCommand({
      ...options,
      gateway: gatewayAddress(address),
      print: (line) => {
        console.log(line);
      },
    });
    if (!isDone) process.exitCode = 1;
  },
  replicate: async (args) => {
    process.exitCode = await replicateCommand(args, process.env);
  },
  verify: async (args) => {
    process.exitCode = await verifyCommand(args, process.env);
  },
  local: async (args) => {
    const values = parseOptions('sluice local', args, {
      ...configOption,
      demo: { type: 'boolean', default: false },
      'namesrv-port': { type: 'string' },
      'broker-port': { type: 'string' },
      'grpc-port': { type: 'string' },
      broker: { type: 'string' },
    });
    const ports = {
      namesrv: portOf('--namesrv-port', values['namesrv-port'], 9876),
      broker: portOf('--broker-port', values['broker-port'], 10911),
      grpc: portOf('--grpc-port', values['grpc-port'], 8081),
    };
    const { demo, broker: brokerName, config: file } = values;
    await runLocalCluster({ demo, ports, file, brokerName }, process.env);
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if ([name, ...args].some((word) => word === '--help' || word === '-h')) {
  console.log(USAGE);
} else if (command === undefined) {
  console.error(name === '' ? USAGE : `There is no command "${name}".\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  try {
    await command(args);
  } catch (error) {
    console.error(`sluice ${name}: ${severalLines((error as Error).message)}`);
    process.exitCode = 1;
  }
}
