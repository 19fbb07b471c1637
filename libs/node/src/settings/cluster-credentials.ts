import type { Credentials, CredentialsSource } from '@sluice/rocketmq';
import type { SettingName, SettingValues } from './setting-definitions.js';

/** Whose keys: those of the runtime cluster, or of the cluster that sources or sinks have their data in. */
export type KeyPrefix = '' | 'source.' | 'sink.';

/** Reads a whole text file. */
export type ReadText = (path: string) => string;

export type FoundCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly source: CredentialsSource }
  | {
      readonly kind: 'wrong';
      readonly problems: readonly { readonly setting: SettingName; readonly message: string }[];
    };

const PREFIXES = ['', 'source.', 'sink.'] as const satisfies readonly KeyPrefix[];

type Key = { readonly text: string } | { readonly file: string };

/**
 * Finds the credentials for one cluster. Keys in files are read whenever the client asks, so that new ones need no restart.
 *
 * A key that is given twice, is missing beside the other, or whose file cannot be read is a problem. With `acl.enable=false` there are none.
 */
export function findCredentials(values: SettingValues, prefix: KeyPrefix, readText: ReadText): FoundCredentials {
  if (values['acl.enable'] === false) return { kind: 'none' };
  const problems: { setting: SettingName; message: string }[] = [];
  const keyOf = (which: 'access.key' | 'secret.key'): Key | undefined => {
    const setting = `${prefix}${which}` as const;
    const text = values[setting];
    const file = values[`${setting}.file`];
    if (text !== undefined && file !== undefined) {
      problems.push({ setting, message: `${setting} and ${setting}.file are both given: give one` });
    }
    if (file === undefined) return text === undefined ? undefined : { text };
    try {
      readKey({ file }, readText);
    } catch (error) {
      problems.push({ setting: `${setting}.file`, message: `${setting}.file: ${(error as Error).message}` });
    }
    return { file };
  };
  const access = keyOf('access.key');
  const secret = keyOf('secret.key');
  const isWanted = prefix === '' && values['acl.enable'] === true;
  for (const [which, key, other] of [
    ['access.key', access, secret],
    ['secret.key', secret, access],
  ] as const) {
    if (key !== undefined || (other === undefined && !isWanted)) continue;
    const setting = `${prefix}${which}` as const;
    problems.push({
      setting,
      message: `${setting} is missing: requests are signed with an access key and a secret key`,
    });
  }
  if (problems.length > 0) return { kind: 'wrong', problems };
  if (access === undefined || secret === undefined) return { kind: 'none' };
  const read = (): Credentials => ({ accessKey: readKey(access, readText), secretKey: readKey(secret, readText) });
  return { kind: 'found', source: 'file' in access || 'file' in secret ? read : read() };
}

/** Shows whether any key is given, for whichever cluster. */
export function hasKeys(values: SettingValues): boolean {
  const names = PREFIXES.flatMap((prefix) => [`${prefix}access.key`, `${prefix}access.key.file`] as const);
  return names.some((name) => values[name] !== undefined);
}

function readKey(key: Key, readText: ReadText): string {
  if ('text' in key) return key.text;
  const text = readText(key.file).trim();
  if (text === '') throw new Error(`${key.file} is empty`);
  return text;
}
