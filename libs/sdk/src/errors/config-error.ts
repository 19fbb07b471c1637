import type { ConfigOf, ConfigSpec, FieldError } from '../config/config-fields.js';
import { type ParseOptions, parseConfig, type RawConfig } from '../config/parse-config.js';
import { ConnectError, ConnectErrorCode, isConnectError } from './connect-error.js';

/** A configuration that is wrong in one or more fields. */
export class ConfigError extends ConnectError {
  readonly errors: readonly FieldError[];

  constructor(subject: string, errors: readonly FieldError[]) {
    const lines = errors.map((error) => error.message).join('\n');
    super(ConnectErrorCode.configInvalid, `${subject} is invalid and contains the following ${errors.length} error(s):\n${lines}`);
    this.errors = errors;
  }
}

/** Returns whether an error is a `ConfigError`, also one that another copy of this package made. */
export function isConfigError(error: unknown): error is ConfigError {
  return isConnectError(error) && 'errors' in error && Array.isArray(error.errors);
}

/**
 * Reads a configuration by its spec, for callers that need a valid one.
 * @throws {ConfigError} naming `subject` and every wrong field.
 */
export function requireConfig<const S extends ConfigSpec>(
  subject: string,
  spec: S,
  raw: RawConfig,
  options: ParseOptions = {},
): ConfigOf<S> {
  const parsed = parseConfig(spec, raw, options);
  if (!parsed.ok) throw new ConfigError(subject, parsed.errors);
  return parsed.value;
}
