import { readFileSync, statSync } from 'node:fs';
import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import { type ConfigSpec, type FieldError, HIDDEN_VALUE } from '../config/config-fields.js';
import { hideEmbedded } from '../config/embedded-secrets.js';
import { parseConfig, type RawConfig } from '../config/parse-config.js';

const DEFAULT_PORT = 9876;
const MAX_PORT = 65_535;
/** Files with certificates of many authorities have some hundred KB. */
const MAX_FILE_BYTES = 1_048_576;
const SHAPE = 'rocketmq://host:port, several as rocketmq://host:port,host:port';
/** A name, an IPv4 address, or an IPv6 address in brackets; then a port, which may be left out. */
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]@/?#]+)(?::(\d{1,5}))?$/;

interface ClusterTexts {
  /** What the cluster is, to stand behind `The cluster`; with a full stop. */
  readonly doc: string;
  /** Heading of the settings. */
  readonly group: string;
  /** A connector without the URL is wrong. */
  readonly isRequired?: boolean;
}

function fieldsOf(prefix: string, { doc, group, isRequired = false }: ClusterTexts) {
  const text = { type: 'string', importance: 'low', optional: true, nonEmpty: true, group, width: 'long' } as const;
  const secret = { type: 'password', importance: 'medium', optional: true, group, width: 'medium' } as const;
  const flag = { type: 'boolean', importance: 'low', group, width: 'short' } as const;
  return {
    url: {
      ...text,
      importance: isRequired ? 'high' : 'medium',
      doc: `The cluster ${doc} The URL names its name servers: ${SHAPE}; without a port 9876 is meant.`,
      example: 'rocketmq://ns1:9876,ns2:9876',
      displayName: 'Cluster URL',
    },
    'access.key': {
      ...text,
      importance: 'medium',
      doc: `Access key at the cluster of ${prefix}url. It names a user and is shown; as a reference it stays hidden.`,
      example: 'sluice',
      displayName: 'Access key',
    },
    'secret.key': { ...secret, doc: `Secret key at the cluster of ${prefix}url.`, displayName: 'Secret key' },
    'security.token': { ...secret, doc: `Security token of temporary keys at the cluster of ${prefix}url.`, displayName: 'Security token' },
    'tls.enable': {
      ...flag,
      default: false,
      doc: `Whether connections to the cluster of ${prefix}url are encrypted.`,
      displayName: 'TLS',
    },
    'tls.ca.file': {
      ...text,
      doc: "PEM file of the authorities that the servers' certificates are checked with, on each runner; by default the well-known ones.",
      example: '/run/secrets/rocketmq-ca.pem',
      displayName: 'CA file',
    },
    'tls.cert.file': {
      ...text,
      doc: 'PEM file of the certificate to show to servers that ask for one, on each runner.',
      example: '/run/secrets/rocketmq-client.pem',
      displayName: 'Certificate file',
    },
    'tls.key.file': {
      ...text,
      doc: `PEM file of the key of ${prefix}tls.cert.file, on each runner.`,
      example: '/run/secrets/rocketmq-client.key',
      displayName: 'Key file',
    },
    'tls.key.password': { ...secret, doc: `Password of an encrypted ${prefix}tls.key.file.`, displayName: 'Key password' },
    'tls.server.name': {
      ...text,
      doc: "The name that the servers' certificates must carry; by default the host of each address.",
      displayName: 'Server name',
    },
    'tls.verify': {
      ...flag,
      default: true,
      doc: "Whether the servers' certificates are checked. Without the check traffic is encrypted, and the server is not known.",
      displayName: 'Verify certificates',
    },
    vip: {
      ...flag,
      default: false,
      doc: "Whether all but reading uses the brokers' second port, the first less 2 (VIP channel).",
      displayName: 'VIP channel',
    },
  } as const satisfies ConfigSpec;
}

type Fields = ReturnType<typeof fieldsOf>;
type Suffix = keyof Fields;

/** The settings of a cluster, by their whole names. */
export type ClusterSpec<P extends string> = { readonly [S in Suffix as `${P}${S}`]: Fields[S] };

/**
 * Makes the settings with which a connector names a RocketMQ cluster: its URL, keys, TLS and VIP channel. They are alike wherever a cluster is named.
 *
 * @param prefix stands before each name, with its dot, as in `source.cluster.`
 */
export function clusterSettingsSpec<const P extends string>(prefix: P, texts: ClusterTexts): ClusterSpec<P> {
  const fields = Object.entries(fieldsOf(prefix, texts)).map(([suffix, field]) => {
    const { optional, ...required } = field as typeof field & { readonly optional?: true };
    const isNeeded = suffix === 'url' && texts.isRequired === true;
    return [`${prefix}${suffix}`, isNeeded || optional === undefined ? required : field];
  });
  return Object.fromEntries(fields) as ClusterSpec<P>;
}

/** What a client of a cluster is opened with, in the shape of the options of `@sluice/rocketmq`. */
export interface ClusterOptions {
  /** host:port, separated by commas. */
  readonly namesrv: string;
  readonly credentials?: { readonly accessKey: string; readonly secretKey: string; readonly securityToken?: string };
  /** Texts in PEM. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly passphrase?: string;
    readonly servername?: string;
    readonly rejectUnauthorized: boolean;
  };
  readonly vipChannel: boolean;
}

type Given = Readonly<Record<Suffix, string | boolean | undefined>>;

/**
 * Checks what the settings of a cluster say together: the form of the URL, and settings that need another one. Settings that are wrong by
 * themselves are left to the parsing of the spec.
 */
export function clusterErrors(prefix: string, config: RawConfig): readonly FieldError[] {
  const given = givenIn(prefix, config);
  return given === undefined ? [] : problemsOf(prefix, given);
}

/**
 * Reads the settings of a cluster; `undefined` where no URL is given.
 *
 * @param readText reads a whole text file, by default a regular one of 1 MiB at most. Certificates and keys are read on every call, so that
 *   renewed ones are used
 * @throws ConnectError that names the setting; of a file that cannot be read it is `retriable`
 */
export function readClusterOptions(
  prefix: string,
  config: RawConfig,
  readText: (path: string) => string = readSmallText,
): ClusterOptions | undefined {
  const given = givenIn(prefix, config);
  const errors = given === undefined ? [{ message: `The settings ${prefix}* are wrong` }] : problemsOf(prefix, given);
  if (given === undefined || errors.length > 0) {
    throw new ConnectError(ConnectErrorCode.configInvalid, errors.map(({ message }) => message).join('\n'));
  }
  const { url } = given;
  if (typeof url !== 'string') return undefined;
  const accessKey = textOf(given['access.key']);
  const secretKey = textOf(given['secret.key']);
  const securityToken = textOf(given['security.token']);
  const tls = given['tls.enable'] === true ? tlsOf(prefix, given, readText) : undefined;
  return {
    namesrv: addressesIn(url).join(','),
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : { credentials: { accessKey, secretKey, ...(securityToken === undefined ? {} : { securityToken }) } }),
    ...(tls === undefined ? {} : { tls }),
    vipChannel: given.vip === true,
  };
}

function tlsOf(prefix: string, given: Given, readText: (path: string) => string): NonNullable<ClusterOptions['tls']> {
  const read = (suffix: Suffix): string | undefined => {
    const path = textOf(given[suffix]);
    if (path === undefined) return undefined;
    try {
      return readText(path);
    } catch (error) {
      throw new ConnectError(ConnectErrorCode.configInvalid, `${prefix}${suffix}: ${(error as Error).message}`, {
        retriable: true,
        cause: error,
      });
    }
  };
  const [ca, cert, key] = [read('tls.ca.file'), read('tls.cert.file'), read('tls.key.file')];
  const passphrase = textOf(given['tls.key.password']);
  const servername = textOf(given['tls.server.name']);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: given['tls.verify'] !== false,
  };
}

/** Returns the values of the settings, `undefined` where one is wrong by itself. */
function givenIn(prefix: string, config: RawConfig): Given | undefined {
  const spec: ConfigSpec = clusterSettingsSpec(prefix, { doc: '', group: '' });
  const parsed = parseConfig(spec, config, { unknownKeys: 'ignore' });
  if (!parsed.ok) return undefined;
  const values = Object.entries(parsed.value).map(([name, value]) => [name.slice(prefix.length), value]);
  return Object.fromEntries(values) as Given;
}

function problemsOf(prefix: string, given: Given): readonly FieldError[] {
  const has = (suffix: Suffix): boolean => given[suffix] !== undefined && given[suffix] !== '';
  const problem = (suffix: Suffix, message: string): FieldError => ({ field: `${prefix}${suffix}`, message });
  const without = (suffix: Suffix, needed: string): FieldError =>
    problem(suffix, `Configuration ${prefix}${suffix} has no effect without ${prefix}${needed}: give that too, or leave this out.`);
  const further: readonly Suffix[] = [...TEXTS.filter(has), ...(given['tls.verify'] === false ? (['tls.verify'] as const) : [])];
  if (!has('url')) {
    const flags = (['tls.enable', 'vip'] as const).filter((suffix) => given[suffix] === true);
    return [...further, ...flags].map((suffix) => without(suffix, 'url'));
  }
  const errors: FieldError[] = [];
  const wrongUrl = urlProblem(`${prefix}url`, String(given.url));
  if (wrongUrl !== undefined) errors.push(problem('url', wrongUrl));
  for (const [one, other] of PAIRS) {
    if (has(one) && !has(other)) {
      errors.push(problem(other, `Configuration ${prefix}${other} is missing: ${prefix}${one} is given, and both belong together.`));
    }
  }
  if (has('security.token') && !has('access.key') && !has('secret.key')) errors.push(without('security.token', 'access.key'));
  if (given['tls.enable'] === true) {
    if (has('tls.key.password') && !has('tls.key.file')) errors.push(without('tls.key.password', 'tls.key.file'));
    return errors;
  }
  for (const suffix of further) if (suffix.startsWith('tls.')) errors.push(without(suffix, 'tls.enable=true'));
  return errors;
}

/** The settings that have no effect by themselves. */
const TEXTS = [
  'access.key',
  'secret.key',
  'security.token',
  'tls.ca.file',
  'tls.cert.file',
  'tls.key.file',
  'tls.key.password',
  'tls.server.name',
] as const satisfies readonly Suffix[];

/** The second is missing where the first alone is given. */
const PAIRS = [
  ['access.key', 'secret.key'],
  ['secret.key', 'access.key'],
  ['tls.cert.file', 'tls.key.file'],
  ['tls.key.file', 'tls.cert.file'],
] as const satisfies readonly (readonly [Suffix, Suffix])[];

/** Explains why a text is no URL of name servers; `undefined` if it is one. It does not repeat a text that may hold a password. */
function urlProblem(name: string, url: string): string | undefined {
  const invalid = `Invalid value ${url.includes('@') ? HIDDEN_VALUE : hideEmbedded(url)} for configuration ${name}:`;
  if (url.includes('@')) return `${invalid} A URL has no user or password here; expected ${SHAPE}, and keys as settings of their own`;
  if (/^rocketmq\+grpc:/i.test(url.trim())) {
    return `${invalid} A Proxy (gRPC) gives no queues and offsets to resume at; expected the name servers of its cluster, ${SHAPE}`;
  }
  return addressesIn(url).length > 0 ? undefined : `${invalid} Expected ${SHAPE}`;
}

/** Returns each address as host:port; none where the URL is wrong. */
function addressesIn(url: string): readonly string[] {
  const [, list] = /^rocketmq:\/\/(.+?)\/?$/.exec(url.trim()) ?? [];
  const addresses = (list ?? '').split(',').map((address) => {
    const [, host = '', port = String(DEFAULT_PORT)] = ADDRESS.exec(address.trim()) ?? [];
    const isPort = Number(port) >= 1 && Number(port) <= MAX_PORT;
    return host === '' || !isPort ? undefined : `${host}:${Number(port)}`;
  });
  const found = addresses.filter((address) => address !== undefined);
  return found.length === addresses.length ? [...new Set(found)] : [];
}

/** Reads a certificate or key. Somebody may name a pipe, which would block the process, or a device without end. */
function readSmallText(path: string): string {
  const found = statSync(path);
  if (!found.isFile()) throw new Error(`${path} is no regular file`);
  if (found.size > MAX_FILE_BYTES) throw new Error(`${path} has ${found.size} bytes; a certificate or key has ${MAX_FILE_BYTES} at most`);
  return readFileSync(path, 'utf8');
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
