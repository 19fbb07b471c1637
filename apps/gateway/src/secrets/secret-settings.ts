import { type Config, type PluginInfo, connectorClass } from '@sluice/core';
import {
  ConnectError,
  ConnectErrorCode,
  HIDDEN_VALUE,
  hideEmbedded,
  holdsMark,
  type IsSecret,
  isSecretName,
  secretsAmong,
} from '@sluice/sdk';
import { withinTime } from '@sluice/time';
import { findPlugin, type PluginQuestions } from '../ports/gateway-ports.js';

interface Known {
  readonly version: string | undefined;
  readonly isSecret: IsSecret;
}

const MAX_KNOWN_CLASSES = 1000;
const RETRY_AFTER_MS = 5000;

/**
 * Remembers which settings of each connector class are secret, as the class itself defines it. Answers never wait long for a runner: while
 * none can be asked, names decide.
 */
export class SecretSettings {
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #retryAt = new Map<string, number>();

  constructor(
    private readonly plugins: PluginQuestions,
    private readonly options: { readonly waitMs: number },
  ) {}

  async of(className: string): Promise<IsSecret> {
    const plugin = findPlugin(this.plugins.list(), className);
    const known = this.#known.get(className);
    const isCurrent = known !== undefined && (plugin === undefined || plugin.version === known.version);
    if (plugin !== undefined && !isCurrent && performance.now() >= (this.#retryAt.get(className) ?? 0)) {
      const late = (): Error => new Error(`No runner has described ${className} yet`);
      await withinTime(this.#ask(className, plugin), this.options.waitMs, late).catch(() => undefined);
    }
    return this.#known.get(className)?.isSecret ?? isSecretName;
  }

  #ask(className: string, plugin: PluginInfo): Promise<void> {
    const pending = this.#asked.get(className);
    if (pending !== undefined) return pending;
    const asking = this.plugins
      .definitions(plugin.name)
      .then((definitions) => {
        if (this.#known.size >= MAX_KNOWN_CLASSES) this.#known.clear();
        this.#known.set(className, { version: plugin.version, isSecret: secretsAmong(definitions) });
        this.#retryAt.delete(className);
      })
      .catch(() => {
        if (this.#retryAt.size >= MAX_KNOWN_CLASSES) this.#retryAt.clear();
        this.#retryAt.set(className, performance.now() + RETRY_AFTER_MS);
      })
      .finally(() => this.#asked.delete(className));
    this.#asked.set(className, asking);
    return asking;
  }
}

/** Replaces secret values, and secrets inside other values. */
export function hideSecrets(config: Config, isSecret: IsSecret): Config {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, isSecret(name) && value !== '' ? HIDDEN_VALUE : hideEmbedded(value)]),
  );
}

/**
 * Replaces the marks that hide secrets by the stored values, so that a client can send back a configuration that it has read. A mark has this
 * meaning under any name: what was hidden depends on what was known of the class then. A URL with a mark must be the stored one: the secret of
 * one host never goes to another.
 *
 * @throws ConnectError with code `CONNECT_REQUEST_INVALID` naming the settings that have no stored value, or another around the mark. Where the class changes, all marked ones:
 *   another class may not call the value secret.
 */
export function restoreHidden(sent: Config, stored: Config | undefined): Config {
  const marked = Object.keys(sent).filter((name) => holdsMark(sent[name] ?? ''));
  if (marked.length === 0) return sent;
  const isSameClass = stored === undefined || connectorClass(stored) === connectorClass(sent);
  const lost = marked.filter((name) => !isSameClass || stored?.[name] === undefined);
  if (lost.length > 0) {
    const why = isSameClass ? 'no value is stored' : 'connector.class changes';
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${HIDDEN_VALUE} given for ${lost.join(', ')} stands for a stored value, but ${why}: give the value itself.`,
    );
  }
  const changed = marked.filter((name) => {
    const given = sent[name];
    return given !== HIDDEN_VALUE && given !== hideEmbedded(stored?.[name] ?? '');
  });
  if (changed.length > 0) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${HIDDEN_VALUE} given inside ${changed.join(', ')} stands for a stored secret, but the value around it changes: give the whole value.`,
    );
  }
  return { ...sent, ...Object.fromEntries(marked.map((name) => [name, stored?.[name] ?? ''])) };
}
