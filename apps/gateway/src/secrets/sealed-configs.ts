import { type Config, isControlSetting } from '@sluice/core';
import type { ConfigCipher } from '@sluice/node';
import { isSealed } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, hideEmbedded, type IsSecret, isReference } from '@sluice/sdk';

/** What of a question stays readable: the gateway chooses a runner by it. */
const IN_QUESTIONS = ['name', 'connector.class', 'connector-class', 'connector.plugin.version'];

/** A stored configuration, opened. */
export interface OpenedConfig {
  readonly config: Config;
  /**
   * What was sealed for its whole value, not for a secret inside it: secret whatever is known of the plugin now. Who has sealed it knew more: the
   * plugin, or the secrets that the value repeats.
   */
  readonly isSecret: IsSecret;
}

/** Encrypts secrets on their way into the topics of the cluster, and opens what is stored. */
export class SealedConfigs {
  constructor(private readonly cipher: Pick<ConfigCipher, 'canSeal' | 'currentKey' | 'seal' | 'open'>) {}

  /** Opens the values of a stored configuration. One that this node cannot open stays sealed: it is hidden, and stored again as it is. */
  open(connector: string, config: Config): OpenedConfig {
    const sealed = Object.keys(config).filter((setting) => isSealed(config[setting] ?? ''));
    if (sealed.length === 0) return { config, isSecret: () => false };
    const opened = sealed.map((setting) => [setting, this.#opened(connector, setting, config[setting] ?? '')] as const);
    const secrets = new Set(opened.filter(([, value]) => hideEmbedded(value) === value).map(([setting]) => setting));
    return { config: { ...config, ...Object.fromEntries(opened) }, isSecret: (setting) => secrets.has(setting) };
  }

  /**
   * Seals the secrets of a configuration, as it is to be stored. What is stored already stays as it is, so that equal configurations are equal,
   * whichever gateway has sealed them.
   *
   * @param stored the configuration that it replaces, as it is stored
   * @param isRotation what is stored with another key than the first one is sealed again
   */
  seal(connector: string, config: Config, isSecret: IsSecret, stored: Config = {}, isRotation = false): Config {
    if (!this.cipher.canSeal) return config;
    const keyId = isRotation ? this.cipher.currentKey : undefined;
    return Object.fromEntries(
      Object.entries(config).map(([setting, value]) => [
        setting,
        !isSealed(value) && isToSeal(setting, value, isSecret)
          ? this.cipher.seal(connector, setting, value, stored[setting], keyId)
          : value,
      ]),
    );
  }

  /** Lists the settings of a stored configuration that hold a secret and are not sealed. */
  unsealed(config: Config, isSecret: IsSecret): readonly string[] {
    return Object.entries(config)
      .filter(([setting, value]) => !isSealed(value) && isToSeal(setting, value, isSecret))
      .map(([setting]) => setting)
      .sort();
  }

  /** Seals everything of a configuration that a runner is asked about: which settings are secret is what it is asked. */
  sealQuestion(config: Config): Config {
    if (!this.cipher.canSeal) return config;
    const connector = config['name'] ?? '';
    return Object.fromEntries(
      Object.entries(config).map(([setting, value]) => [
        setting,
        IN_QUESTIONS.includes(setting) || isSealed(value) ? value : this.cipher.seal(connector, setting, value),
      ]),
    );
  }

  /**
   * Checks that nobody sends a sealed value, beside one that was stored and could not be opened.
   *
   * @throws ConnectError with code `CONNECT_REQUEST_INVALID`
   */
  checkSent(config: Config, stored: Config = {}): void {
    const wrong = Object.keys(config).filter((setting) => isSealed(config[setting] ?? '') && config[setting] !== stored[setting]);
    if (wrong.length === 0) return;
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `Values given for ${wrong.join(', ')} begin with sluice-sealed: which only Sluice itself writes. Give the value itself.`,
    );
  }

  #opened(connector: string, setting: string, sealed: string): string {
    try {
      return this.cipher.open(connector, setting, sealed);
    } catch {
      return sealed;
    }
  }
}

function isToSeal(setting: string, value: string, isSecret: IsSecret): boolean {
  if (value === '' || isControlSetting(setting)) return false;
  return isSecret(setting) ? !isReference(value) : hideEmbedded(value) !== value;
}
