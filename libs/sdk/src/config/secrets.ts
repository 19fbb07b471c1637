import { hiddenValue } from './config-fields.js';
import { embeddedSecrets, hideUserInfo, isHidden } from './embedded-secrets.js';
import type { FieldDescription } from './describe-fields.js';

/** Decides which names of a configuration hold secrets. */
export type IsSecret = (name: string) => boolean;

const secretName = /password|passwd|passphrase|secret|token|credential|(api|access|private)[._-]?key/i;

/** Judges by its name whether a setting holds a secret, where nothing defines the setting. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Makes the rule for a configuration: a defined name or alias follows its definition, any other one {@link isSecretName}. */
export function secretsAmong(definitions: readonly Pick<FieldDescription, 'name' | 'aliases' | 'secret'>[]): IsSecret {
  const defined = new Map<string, boolean>();
  for (const { name, aliases, secret } of definitions) for (const each of [name, ...aliases]) defined.set(each, secret);
  return (name) => defined.get(name) ?? isSecretName(name);
}

/**
 * Makes a function that replaces the secrets of a configuration in a text by {@link hiddenValue}. These are values of secret settings, secrets
 * inside other values, and the userinfo of any URL. Values of one or two characters hide nothing and are left.
 */
export function secretsRemover(config: Readonly<Record<string, string>>, isSecret: IsSecret): (text: string) => string {
  const values = Object.entries(config)
    .flatMap(([name, value]) => (isSecret(name) ? [value] : embeddedSecrets(value)))
    .filter((value) => value.length > 2 && !isHidden(value))
    .sort((left, right) => right.length - left.length);
  return (text) => hideUserInfo(values.reduce((hidden, value) => hidden.replaceAll(value, hiddenValue), text));
}
