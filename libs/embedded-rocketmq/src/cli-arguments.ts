import { parseArgs } from 'node:util';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import type { ClusterPorts } from './ports.js';

export type CliCommand =
  | {
      readonly kind: 'start';
      readonly name: string;
      readonly ports: Partial<ClusterPorts>;
      readonly tls: boolean;
      readonly data: string | undefined;
    }
  | { readonly kind: 'stop'; readonly name: string; readonly data: string | undefined }
  | { readonly kind: 'status'; readonly name: string | undefined; readonly data: string | undefined }
  | { readonly kind: 'help' };

export const DEFAULT_CLUSTER_NAME = 'dev';

export const USAGE = `usage: npm run rocketmq -- <command> [options]

  start    starts a RocketMQ cluster on this host and returns when it answers; does nothing when it is up
  stop     stops it; its data stays
  status   shows the clusters, their processes and ports

  --name NAME          which cluster (default: ${DEFAULT_CLUSTER_NAME}); status without it shows all
  --namesrv-port PORT  start only (default: as before, else 9876)
  --broker-port PORT   start only (default: as before, else 10911); also takes PORT-2 and PORT+1
  --grpc-port PORT     start only (default: as before, else 8081)
  --tls                start only (default: as before, else off): takes TLS too, with a certificate that RocketMQ makes, for seconds
  --data DIR           where data, configuration and logs are kept (default: .sluice/rocketmq/NAME, or below SLUICE_HOME)

exit codes: 0 done (status: up); 1 failed; 2 wrong arguments; 3 status: not up, stop: was not running`;

const OPTIONS = {
  name: { type: 'string' },
  'namesrv-port': { type: 'string' },
  'broker-port': { type: 'string' },
  'grpc-port': { type: 'string' },
  tls: { type: 'boolean' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const COMMANDS = ['start', 'stop', 'status'] as const;
type CommandName = (typeof COMMANDS)[number];
const PORT_OPTIONS = ['namesrv-port', 'broker-port', 'grpc-port'] as const;

/** Reads the arguments after the script's name. Throws EmbeddedRocketmqError `OPTION_INVALID` naming the argument and what is allowed. */
export function parseCliArguments(args: readonly string[]): CliCommand {
  const { values, positionals } = parse(args);
  if (values.help === true) return { kind: 'help' };
  const [command, ...others] = positionals;
  if (!isCommand(command)) {
    throw invalid(
      `${command === undefined ? 'no command' : `command ${JSON.stringify(command)}`} given: ${COMMANDS.join(', ')} are allowed`,
    );
  }
  if (others.length > 0) throw invalid(`argument ${JSON.stringify(others[0])} is not expected after ${command}`);
  for (const option of [...PORT_OPTIONS, 'tls'] as const) {
    if (command !== 'start' && values[option] !== undefined) throw invalid(`--${option} is allowed with start only, ${command} was given`);
  }
  if (values.data === '') throw invalid('--data "" given: a folder is expected');
  const { name, data } = values;
  switch (command) {
    case 'start':
      return {
        kind: command,
        name: name ?? DEFAULT_CLUSTER_NAME,
        data,
        ports: portsOf(values),
        tls: values.tls === true,
      };
    case 'stop':
      return { kind: command, name: name ?? DEFAULT_CLUSTER_NAME, data };
    case 'status':
      return { kind: command, name, data };
  }
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    const reason = (cause as Error).message.split('. ')[0] ?? '';
    const allowed =
      code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
        ? `: ${Object.keys(OPTIONS)
            .map((key) => `--${key}`)
            .join(', ')} are allowed`
        : '';
    throw new EmbeddedRocketmqError('OPTION_INVALID', `${reason}${allowed}`, { cause });
  }
}

function isCommand(word: string | undefined): word is CommandName {
  return (COMMANDS as readonly (string | undefined)[]).includes(word);
}

function portsOf(values: Partial<Record<(typeof PORT_OPTIONS)[number], string>>): Partial<ClusterPorts> {
  const namesrv = portOf('namesrv-port', values['namesrv-port']);
  const broker = portOf('broker-port', values['broker-port']);
  const grpc = portOf('grpc-port', values['grpc-port']);
  return {
    ...(namesrv === undefined ? {} : { namesrv }),
    ...(broker === undefined ? {} : { broker }),
    ...(grpc === undefined ? {} : { grpc }),
  };
}

function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid(`--${option} ${JSON.stringify(text)} given: a number from 1 to 65535 is allowed`);
  return port;
}

function invalid(message: string): EmbeddedRocketmqError {
  return new EmbeddedRocketmqError('OPTION_INVALID', message);
}
