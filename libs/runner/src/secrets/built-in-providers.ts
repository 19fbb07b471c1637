import { open } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { parseProperties } from '@sluice/node';
import type { ConfigProvider, ConfigProviderPlugin, FieldError, ProvidedValues, RawConfig } from '@sluice/sdk';

const VERSION = '0.1.0';
const KAFKA = 'org.apache.kafka.common.config.provider';
/** Secrets are short: a larger file is a mistake, and would be read again and again. */
const MAX_FILE_BYTES = 1024 * 1024;

const allowedPathsSpec = {
  'allowed.paths': {
    type: 'list',
    importance: 'medium',
    optional: true,
    doc: 'Absolute paths of the folders and files that may be read, separated by commas; by default all that the runner can read.',
    example: '/run/secrets',
  },
} as const;

/** The config providers that every runner can have; they are those of Kafka Connect. */
export const CONFIG_PROVIDERS: readonly ConfigProviderPlugin[] = [
  {
    kind: 'config-provider',
    name: 'EnvVarConfigProvider',
    aliases: ['env', `${KAFKA}.EnvVarConfigProvider`],
    version: VERSION,
    doc: 'Reads environment variables of the runner: `${env:NAME}`.',
    spec: {
      'allowlist.pattern': {
        type: 'string',
        importance: 'medium',
        optional: true,
        doc: 'A regular expression that the whole name of a variable must match; by default all may be read.',
        example: 'CONNECT_.*',
      },
    },
    validate: ({ 'allowlist.pattern': pattern }) => patternErrors('allowlist.pattern', pattern),
    create: ({ 'allowlist.pattern': pattern }: RawConfig): ConfigProvider => {
      const allowed = typeof pattern === 'string' ? wholeName(pattern) : undefined;
      return {
        isConstant: true,
        get: (path, keys) => {
          if (path !== '') return Promise.reject(new Error('a reference to a variable is written with one colon'));
          const refused = keys.find((key) => allowed?.test(key) === false);
          if (refused !== undefined) return Promise.reject(new Error(`allowlist.pattern of the provider does not allow ${refused}`));
          return Promise.resolve({ values: pick(process.env, keys) });
        },
      };
    },
  },
  {
    kind: 'config-provider',
    name: 'FileConfigProvider',
    aliases: ['file', `${KAFKA}.FileConfigProvider`],
    version: VERSION,
    doc: 'Reads values of properties files: `${file:/path/to/file.properties:key}`.',
    spec: allowedPathsSpec,
    validate: ({ 'allowed.paths': paths }) => pathErrors(paths),
    create: ({ 'allowed.paths': given }: RawConfig): ConfigProvider => {
      const allowed = pathsOf(given);
      return {
        get: async (path, keys, signal) => {
          const entries = parseProperties(await readSmallFile(allowedPath(path, allowed), signal)).map(({ name, text }) => [name, text]);
          return { values: pick(Object.fromEntries(entries) as Record<string, string>, keys) };
        },
      };
    },
  },
  {
    kind: 'config-provider',
    name: 'DirectoryConfigProvider',
    aliases: ['dir', 'directory', `${KAFKA}.DirectoryConfigProvider`],
    version: VERSION,
    doc: 'Reads whole files of a folder, whose names are the keys: `${dir:/run/secrets:db-password}`.',
    spec: allowedPathsSpec,
    validate: ({ 'allowed.paths': paths }) => pathErrors(paths),
    create: ({ 'allowed.paths': given }: RawConfig): ConfigProvider => {
      const allowed = pathsOf(given);
      return {
        get: async (path, keys, signal) => {
          const folder = allowedPath(path, allowed);
          const values: Record<string, string> = {};
          for (const key of new Set(keys)) {
            if (key === '' || key === '.' || key === '..' || /[/\\\0]/.test(key))
              throw new Error('its last part must be the name of a file');
            values[key] = await readSmallFile(join(folder, key), signal);
          }
          return { values };
        },
      };
    },
  },
];

function pick(all: Readonly<Record<string, string | undefined>>, keys: readonly string[]): ProvidedValues['values'] {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = Object.hasOwn(all, key) ? all[key] : undefined;
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}

async function readSmallFile(path: string, signal: AbortSignal): Promise<string> {
  let file;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new Error(`${path} has more than ${MAX_FILE_BYTES} bytes`);
    return await file.readFile({ encoding: 'utf8', signal });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new Error(`${path} does not exist`, { cause: error });
    if (code === 'EACCES') throw new Error(`${path} may not be read by the runner`, { cause: error });
    throw error;
  } finally {
    await file?.close();
  }
}

function allowedPath(path: string, allowed: readonly string[] | undefined): string {
  if (path === '') throw new Error('it has no path');
  if (!isAbsolute(path)) throw new Error(`${path} is no absolute path`);
  const plain = normalize(path);
  const isAllowed =
    allowed === undefined || allowed.some((each) => plain === each || plain.startsWith(each.endsWith(sep) ? each : each + sep));
  if (!isAllowed) throw new Error(`allowed.paths of the provider does not allow ${path}`);
  return plain;
}

function pathsOf(given: string | null | undefined): readonly string[] | undefined {
  if (given === null || given === undefined) return undefined;
  return given
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map(normalize);
}

function pathErrors(given: string | null | undefined): readonly FieldError[] {
  const wrong = pathsOf(given)?.filter((path) => !isAbsolute(path)) ?? [];
  return wrong.map((path) => ({
    field: 'allowed.paths',
    message: `Invalid value ${path} for configuration allowed.paths: Paths must be absolute`,
  }));
}

function wholeName(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}

function patternErrors(field: string, pattern: string | null | undefined): readonly FieldError[] {
  try {
    wholeName(pattern ?? '');
    return [];
  } catch {
    return [{ field, message: `Invalid value ${pattern ?? ''} for configuration ${field}: Expected a regular expression` }];
  }
}
