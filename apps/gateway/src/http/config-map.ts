import type { Config } from '@sluice/core';
import type { PipeTransform } from '@nestjs/common';
import { invalidRequest } from './request.pipes.js';
import { ValidateBy } from 'class-validator';

/** Settings as sent: text, or `null` for a setting that should go. */
export type ConfigMap = Readonly<Record<string, string | null>>;

export type ReadConfigMap =
  { readonly ok: true; readonly config: ConfigMap } | { readonly ok: false; readonly problems: readonly string[] };

/** Reads a flat map of settings. Numbers and booleans become the text that they were written as; see `parseJsonBody`. */
function readConfigMap(value: unknown): ReadConfigMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, problems: [`${nameOfKind(value)} given, allowed is an object of settings`] };
  }
  const problems: string[] = [];
  const entries: [string, string | null][] = [];
  for (const [key, setting] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (setting === null || typeof setting === 'string') entries.push([key, setting]);
    else if (typeof setting === 'boolean' || typeof setting === 'number') entries.push([key, String(setting)]);
    else problems.push(`${JSON.stringify(key)}: ${nameOfKind(setting)} given, allowed are text, numbers and booleans`);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: Object.fromEntries(entries) };
}

function nameOfKind(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Makes a new configuration: `null` means absent. */
export function withoutNulls(sent: ConfigMap): Config {
  return merged({}, sent);
}

/** Makes a changed configuration: what is sent replaces what is there, and `null` removes it. */
export function merged(stored: Config, patch: ConfigMap): Config {
  const result = new Map(Object.entries(stored));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return Object.fromEntries(result);
}

/** Reads a body that is a flat map of settings. @throws ConnectError with code `CONNECT_REQUEST_INVALID`, naming every wrong key */
export class ConfigMapPipe implements PipeTransform<unknown, ConfigMap> {
  transform(value: unknown): ConfigMap {
    const read = readConfigMap(value);
    if (!read.ok) throw invalidRequest(read.problems);
    return read.config;
  }
}

/** Checks that a property is a flat map of settings; the message names every wrong key. */
export function IsConfigMap(): PropertyDecorator {
  return ValidateBy({
    name: 'isConfigMap',
    validator: {
      validate: (value: unknown) => readConfigMap(value).ok,
      defaultMessage: (given) => {
        const read = readConfigMap(given?.value);
        const property = given?.property ?? 'config';
        return read.ok ? '' : read.problems.map((problem) => `${property}: ${problem}`).join('\n');
      },
    },
  });
}
