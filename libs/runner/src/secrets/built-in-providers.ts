import { constants, type BigIntStats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { parseProperties } from '@sluice/node';
import type { ConfigProvider, ConfigProviderPlugin, FieldError, ProvidedValues, RawConfig } from '@sluice/sdk';

const VERSION = '0.1.0';
const KAFKA = 'org.apache.kafka.common.config.provider';
/** Secrets are short: a larger file is a mistake, and would be read again and again. */
const MAX_FILE_BYTES = 1024 * 1024;
const NOT_ALLOWED = 'allowed.paths of the provider does not allow';
/** They show the process itself, or have no end. */
const SYSTEM_FOLDERS = ['/proc', '/sys', '/dev'];
/** The settings of the node itself may be its credentials. */
const OWN_VARIABLE = /^SLUICE_/i;

const allowedPathsSpec = {
  'allowed.paths': {
    type: 'list',
    importance: 'medium',
    optional: true,
    doc: 'Absolute paths of the folders and files that may be read, separated by commas; by default all that the runner can read.',
    example: '/run/connectors',
  },
} as const;

/**
 * Makes the config providers that every runner can have; they are those of Kafka Connect.
 *
 * @param ownFiles paths of the files with the node's own keys and credentials: no reference reads them, whatever `allowed.paths` says
 */
export const configProviders = (ownFiles: readonly string[] = []): readonly ConfigProviderPlugin[] => [
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
          const reasons = Object.fromEntries(
            keys.flatMap((key) => {
              if (OWN_VARIABLE.test(key)) return [[key, `${key} is a setting of the node itself`]];
              return allowed?.test(key) === false ? [[key, `allowlist.pattern of the provider does not allow ${key}`]] : [];
            }),
          ) as Record<string, string>;
          const values = pick(
            process.env,
            keys.filter((key) => !Object.hasOwn(reasons, key)),
          );
          return Promise.resolve({ values, ...(Object.keys(reasons).length === 0 ? {} : { reasons }) });
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
          const entries = parseProperties(await readSmallFile(path, { allowed, ownFiles }, signal)).map(({ name, text }) => [name, text]);
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
    doc: 'Reads whole files of a folder, whose names are the keys: `${dir:/run/connectors:db-password}`.',
    spec: allowedPathsSpec,
    validate: ({ 'allowed.paths': paths }) => pathErrors(paths),
    create: ({ 'allowed.paths': given }: RawConfig): ConfigProvider => {
      const allowed = pathsOf(given);
      return {
        get: async (path, keys, signal) => {
          const folder = absolutePath(path);
          const values: [string, string][] = [];
          const reasons: [string, string][] = [];
          for (const key of new Set(keys)) {
            try {
              if (key === '' || key === '.' || key === '..' || /[/\\\0]/.test(key))
                throw new Error('its last part must be the name of a file');
              values.push([key, await readSmallFile(join(folder, key), { allowed, ownFiles }, signal)]);
            } catch (error) {
              signal.throwIfAborted();
              // Others have references to the same folder.
              reasons.push([key, (error as Error).message]);
            }
          }
          return { values: Object.fromEntries(values), ...(reasons.length === 0 ? {} : { reasons: Object.fromEntries(reasons) }) };
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

interface FileRule {
  readonly allowed: readonly string[] | undefined;
  readonly ownFiles: readonly string[];
}

/** Reads a regular file. A link is treated as what it leads to, and no pipe or device is waited for. */
async function readSmallFile(given: string, { allowed, ownFiles }: FileRule, signal: AbortSignal): Promise<string> {
  const path = allowedPath(given, allowed);
  let file;
  try {
    const target = await realpath(path);
    if (SYSTEM_FOLDERS.some((folder) => isWithin(path, folder) || isWithin(target, folder)))
      throw new Error(`${path} is a file of the system`);
    const folders = allowed && (await Promise.all(allowed.map((each) => realpath(each).catch(() => each))));
    if (folders?.some((each) => isWithin(target, each)) === false) throw new Error(`${path} leads to what ${NOT_ALLOWED}`);
    // Opening a pipe would hold a thread of the pool until somebody writes to it.
    file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const found = await file.stat({ bigint: true });
    if (!found.isFile()) throw new Error(`${path} is no regular file`);
    if (await isOneOf(found, ownFiles)) throw new Error(`${path} has credentials of the node itself`);
    const bytes = Buffer.alloc(Math.min(Number(found.size), MAX_FILE_BYTES) + 1);
    let length = 0;
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0) return bytes.toString('utf8', 0, length);
      if (length > MAX_FILE_BYTES) throw new Error(`${path} has more than ${MAX_FILE_BYTES} bytes`);
      if (length === bytes.length) throw new Error(`${path} changes while it is read`);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new Error(`${path} does not exist`, { cause: error });
    if (code === 'EACCES') throw new Error(`${path} may not be read by the runner`, { cause: error });
    if (code === 'ENXIO') throw new Error(`${path} is no regular file`, { cause: error });
    throw error;
  } finally {
    await file?.close();
  }
}

/** Compares what paths lead to: another name of a file is the same file. */
async function isOneOf({ dev, ino }: BigIntStats, paths: readonly string[]): Promise<boolean> {
  const all = await Promise.all(paths.map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return all.some((each) => each?.dev === dev && each.ino === ino);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function absolutePath(path: string): string {
  if (path === '') throw new Error('it has no path');
  if (!isAbsolute(path)) throw new Error(`${path} is no absolute path`);
  return withoutEnd(normalize(path));
}

function allowedPath(path: string, allowed: readonly string[] | undefined): string {
  const plain = absolutePath(path);
  const isAllowed = allowed === undefined || allowed.some((each) => isWithin(plain, each));
  if (!isAllowed) throw new Error(`${NOT_ALLOWED} ${path}`);
  return plain;
}

function pathsOf(given: string | null | undefined): readonly string[] | undefined {
  if (given === null || given === undefined) return undefined;
  return given
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map((path) => withoutEnd(normalize(path)));
}

function withoutEnd(path: string): string {
  return path.length > 1 && path.endsWith(sep) ? path.slice(0, -1) : path;
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
