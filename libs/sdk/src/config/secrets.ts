import { HIDDEN_VALUE } from './config-fields.js';
import { embeddedSecrets, hideInText } from './embedded-secrets.js';
import type { FieldDescription } from './describe-fields.js';

/** Decides which names of a configuration hold secrets. */
export type IsSecret = (name: string) => boolean;

const SECRET_NAME = /password|passwd|passphrase|secret|token|credential|(api|access|private)[._-]?key/i;

/** Judges by its name whether a setting holds a secret, where nothing defines the setting. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Makes the rule for a configuration: a defined name or alias follows its definition, any other one {@link isSecretName}. */
export function secretsAmong(definitions: readonly Pick<FieldDescription, 'name' | 'aliases' | 'secret'>[]): IsSecret {
  const defined = new Map<string, boolean>();
  for (const { name, aliases, secret } of definitions) for (const each of [name, ...aliases]) defined.set(each, secret);
  return (name) => defined.get(name) ?? isSecretName(name);
}

/**
 * Makes a function that replaces the secrets of a configuration in a text by {@link HIDDEN_VALUE}. These are values of secret settings, secrets
 * inside other values, and what {@link hideInText} finds in any text. Values of one or two characters hide nothing and are left.
 */
export function secretsRemover(config: Readonly<Record<string, string>>, isSecret: IsSecret): (text: string) => string {
  // Most of those who may need it have no text: then nothing looks for secrets.
  let found: readonly string[] | undefined;
  return (text) => {
    found ??= secretsIn(config, isSecret);
    return hideInText(found.reduce((hidden, value) => hidden.replaceAll(value, HIDDEN_VALUE), text));
  };
}

/** Lists what a text may repeat of a configuration's secrets, the longest first. */
function secretsIn(config: Readonly<Record<string, string>>, isSecret: IsSecret): readonly string[] {
  const values = Object.entries(config)
    .flatMap(([name, value]) => (isSecret(name) ? [value, ...embeddedSecrets(value)] : embeddedSecrets(value)))
    .flatMap(formsOf)
    .filter((value) => value.length > 2 && value !== HIDDEN_VALUE);
  return [...new Set(values)].sort((left, right) => right.length - left.length);
}

/** Lists the forms in which an error repeats a secret: as it is, without blanks around it, inside JSON, and inside a URL. */
function formsOf(secret: string): readonly string[] {
  const plain = secret.trim();
  return [secret, plain, JSON.stringify(plain).slice(1, -1), encoded(plain)];
}

function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // A lone half of a surrogate pair has no form in a URL.
    return text;
  }
}
