import type { PluginDescription } from '../plugin.js';
import type { FieldError } from './config-fields.js';
import type { RawConfig } from './parse-config.js';

/** What a config provider answers. */
export interface ProvidedValues {
  /** By key; a key that is not there has no value. */
  readonly values: Readonly<Record<string, string>>;
  /** By key: why it has no value, shown to users; it must hold no value. */
  readonly reasons?: Readonly<Record<string, string>>;
  /** How long the values hold, in milliseconds; absent where nobody knows. Then they are asked for again from time to time. */
  readonly ttlMs?: number;
}

/** Gives the values that references such as `${file:/run/db.properties:password}` stand for. */
export interface ConfigProvider {
  /** True where values never change while the process runs. */
  readonly isConstant?: boolean;
  /**
   * Returns the values of keys. A message of an error must not hold a value: it is shown to users.
   *
   * @param path what stands between the first two colons of the references; empty where they have one colon
   * @param signal aborts when nobody waits for the answer any more
   */
  get(path: string, keys: readonly string[], signal: AbortSignal): Promise<ProvidedValues>;
  /** Closes what the provider has open. */
  close?(): Promise<void>;
}

/** A config provider that runners can have. */
export interface ConfigProviderPlugin extends PluginDescription {
  readonly kind: 'config-provider';
  /** Finds what is wrong with settings that are right one by one. */
  readonly validate?: (settings: RawConfig) => readonly FieldError[];
  /** Makes one for a runner. @throws ConfigError */
  readonly create: (settings: RawConfig) => ConfigProvider;
}
