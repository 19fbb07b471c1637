import { readFileSync } from 'node:fs';
import {
  type Credentials,
  type CredentialsSource,
  formatAddress,
  parseMessagingUrl,
  type RocketMqClientOptions,
  type TlsOptions,
} from '@sluice/rocketmq';
import { UsageError } from './parse-options.js';

/** The cluster that is copied, or the one with the copies. */
export type ClusterSide = 'from' | 'to';

type Environment = Readonly<Record<string, string | undefined>>;
type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** How a cluster is reached, as options of one side say. */
export interface GivenCluster {
  /** As it was given; it holds no credentials. */
  readonly url: string;
  readonly client: RocketMqClientOptions;
  readonly keys: GivenKeys | undefined;
  readonly tls: GivenTls | undefined;
  readonly vip: boolean;
}

/** Access and secret key, each as a text or in the file that holds it. */
export interface GivenKeys {
  readonly access: GivenKey;
  readonly secret: GivenKey;
}

export type GivenKey = { readonly text: string } | { readonly option: string; readonly file: string };

/** Files in PEM; all may be absent, and well-known authorities are trusted then. */
export interface GivenTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** The options of both sides. */
export const CLUSTER_OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  'from-access-key': { type: 'string' },
  'from-access-key-file': { type: 'string' },
  'from-secret-key': { type: 'string' },
  'from-secret-key-file': { type: 'string' },
  'from-tls': { type: 'boolean', default: false },
  'from-tls-ca': { type: 'string' },
  'from-tls-cert': { type: 'string' },
  'from-tls-key': { type: 'string' },
  'from-vip': { type: 'boolean', default: false },
  'to-access-key': { type: 'string' },
  'to-access-key-file': { type: 'string' },
  'to-secret-key': { type: 'string' },
  'to-secret-key-file': { type: 'string' },
  'to-tls': { type: 'boolean', default: false },
  'to-tls-ca': { type: 'string' },
  'to-tls-cert': { type: 'string' },
  'to-tls-key': { type: 'string' },
  'to-vip': { type: 'boolean', default: false },
} as const;

/**
 * Reads how the cluster of one side is reached. Keys come from options, files or `SLUICE_FROM_ACCESS_KEY` and the like.
 *
 * @param warn hears of keys that stand in the command line
 * @throws UsageError that names the option; it never shows a key
 */
export function clusterOf(side: ClusterSide, values: Values, environment: Environment, warn: (text: string) => void): GivenCluster {
  const url = textOf(values, side);
  if (url === undefined || url === '') throw new UsageError(`--${side} is missing: give rocketmq://HOST:PORT, the cluster's name servers`);
  const keys = keysOf(side, values, environment, warn);
  const tls = tlsOf(side, values);
  const vip = values[`${side}-vip`] === true;
  const client: RocketMqClientOptions = {
    namesrv: nameServersOf(side, url),
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    credentials: keys === undefined ? undefined : credentialsOf(keys),
    tls: tls === undefined ? undefined : tlsOptionsOf(side, tls),
    vipChannel: vip,
  };
  return { url, client, keys, tls, vip };
}

const REQUEST_TIMEOUT_MS = 10_000;

function nameServersOf(side: ClusterSide, url: string): string {
  const hint = `SLUICE_${side.toUpperCase()}_ACCESS_KEY and _SECRET_KEY, or --${side}-access-key-file and --${side}-secret-key-file`;
  if (url.includes('@')) throw new UsageError(`--${side} has a user or a password: URLs take none, give ${hint}`);
  try {
    const { protocol, addresses } = parseMessagingUrl(url);
    if (protocol === 'remoting') return addresses.map(formatAddress).join(',');
  } catch (error) {
    throw new UsageError(`--${side}: ${(error as Error).message}`, { cause: error });
  }
  throw new UsageError(`--${side} is "${url}", a Proxy; allowed are name servers, such as rocketmq://HOST:9876: a Proxy shows no offsets`);
}

function keysOf(side: ClusterSide, values: Values, environment: Environment, warn: (text: string) => void): GivenKeys | undefined {
  const access = keyOf(side, 'access-key', values, environment, warn);
  const secret = keyOf(side, 'secret-key', values, environment, warn);
  if (access === undefined && secret === undefined) return undefined;
  if (access !== undefined && secret !== undefined) return { access, secret };
  const missing = access === undefined ? 'access' : 'secret';
  throw new UsageError(`The ${missing} key of --${side} is missing: requests are signed with an access key and a secret key`);
}

function keyOf(
  side: ClusterSide,
  name: 'access-key' | 'secret-key',
  values: Values,
  environment: Environment,
  warn: (text: string) => void,
): GivenKey | undefined {
  const option = `--${side}-${name}`;
  const variable = `SLUICE_${side}_${name}`.toUpperCase().replaceAll('-', '_');
  const [text, file] = [textOf(values, `${side}-${name}`), textOf(values, `${side}-${name}-file`)];
  const [environmentText, environmentFile] = [environment[variable], environment[`${variable}_FILE`]];
  if (text !== undefined && file !== undefined) throw new UsageError(`${option} and ${option}-file are both given: give one`);
  if (text !== undefined) {
    warn(`${option} stands in the list of processes, where others read it: ${option}-file or ${variable} do not`);
    return { text };
  }
  if (file !== undefined) return { option: `${option}-file`, file };
  if (environmentText !== undefined && environmentFile !== undefined) {
    throw new UsageError(`${variable} and ${variable}_FILE are both given: give one`);
  }
  if (environmentFile !== undefined) return { option: `${variable}_FILE`, file: environmentFile };
  return environmentText === undefined ? undefined : { text: environmentText };
}

function credentialsOf({ access, secret }: GivenKeys): CredentialsSource {
  const read = (): Credentials => ({ accessKey: readKey(access), secretKey: readKey(secret) });
  // What is wrong with a file is said before anything connects.
  read();
  return read;
}

/** Reads a key, in a file at every call. @throws UsageError that names the option or variable of the file */
export function readKey(key: GivenKey): string {
  if ('text' in key) return key.text;
  const text = readText(key.option, key.file).trim();
  if (text === '') throw new UsageError(`${key.option}: ${key.file} is empty`);
  return text;
}

function tlsOf(side: ClusterSide, values: Values): GivenTls | undefined {
  const [ca, cert, key] = [textOf(values, `${side}-tls-ca`), textOf(values, `${side}-tls-cert`), textOf(values, `${side}-tls-key`)];
  if ((cert === undefined) !== (key === undefined)) {
    const [missing, given] = cert === undefined ? ['cert', 'key'] : ['key', 'cert'];
    throw new UsageError(`--${side}-tls-${missing} is missing beside --${side}-tls-${given}`);
  }
  return values[`${side}-tls`] === true || ca !== undefined || cert !== undefined ? { ca, cert, key } : undefined;
}

function tlsOptionsOf(side: ClusterSide, { ca, cert, key }: GivenTls): TlsOptions {
  const read = (name: string, file: string | undefined): string | undefined =>
    file === undefined ? undefined : readText(`--${side}-tls-${name}`, file);
  return { ca: read('ca', ca), cert: read('cert', cert), key: read('key', key) };
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`, { cause: error });
  }
}

function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}
