import { type Config, type ConnectorState, currentTasks, isBeingSplit, taskConfig, TargetState } from '@sluice/core';
import type { ConfigCipher } from '@sluice/node';
import { isSealed, sealedWith } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { SealedConfigs } from '../secrets/sealed-configs.js';
import { anySecret, type SecretSettings } from '../secrets/secret-settings.js';
import type { ClusterView } from '../view/cluster-view.js';
import type { ConnectorWriter } from './connector-writer.js';
import { notFound } from './connector-reader.js';

/** What a connector needs beside the first key of the gateway. */
export interface ConnectorSecretsJson {
  readonly connector: string;
  /** Settings whose values need an older key, by the ids of those keys. */
  readonly settings: Readonly<Record<string, readonly string[]>>;
  /** How many tasks have settings that need an older key, by the ids of those keys. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Settings that hold a secret which is not encrypted. */
  readonly plain: readonly string[];
  /** Those of the keys that the gateway does not have. */
  readonly missing: readonly string[];
  readonly state: TargetState;
}

/** What the configurations of a cluster need beside the first key of the gateway. */
export interface SecretsJson {
  /** The id of that key. */
  readonly key: string;
  /** How many connectors need each older key. */
  readonly older: Readonly<Record<string, number>>;
  /** The connectors that need an older key, or hold a secret that is not encrypted. */
  readonly connectors: readonly ConnectorSecretsJson[];
}

/** What was done for a connector. */
export interface RotationJson {
  readonly connector: string;
  /** `waiting`: its tasks still need an older key, and no request changes that now. */
  readonly result: 'rotated' | 'current' | 'waiting';
  /** The settings that were encrypted with the first key. */
  readonly settings: readonly string[];
}

/** Has configurations encrypted with the first key of `secrets.key.file`, so that older keys are not needed any more. */
export class SecretRotation {
  constructor(
    private readonly view: ClusterView,
    private readonly writer: ConnectorWriter,
    private readonly secrets: SecretSettings,
    private readonly sealed: SealedConfigs,
    private readonly cipher: Pick<ConfigCipher, 'currentKey' | 'has'>,
  ) {}

  /** Finds what needs an older key. @throws ConnectError with code `CONNECT_CONFLICT` where the gateway has no keys */
  async status(): Promise<SecretsJson> {
    const key = this.#key();
    const { connectors } = this.view.now().state;
    const all = await Promise.all([...connectors.values()].map((connector) => this.#needs(connector, key)));
    const needing = all.filter(({ settings, tasks, plain }) => [settings, tasks, plain].some((each) => Object.keys(each).length > 0));
    const older: Record<string, number> = {};
    for (const { settings, tasks } of needing)
      for (const id of new Set([...Object.keys(settings), ...Object.keys(tasks)])) older[id] = (older[id] ?? 0) + 1;
    return { key, older, connectors: needing.sort((left, right) => (left.connector < right.connector ? -1 : 1)) };
  }

  /**
   * Encrypts the secrets of a connector with the first key. Its tasks restart. Does nothing where no older key is needed, so that the request may be
   * repeated. A configuration that changes meanwhile is encrypted as it is then.
   *
   * @param expectedKey the id of the key that is meant
   * @throws ConnectError with code `CONNECT_NOT_FOUND`, or `CONNECT_CONFLICT` where the gateway has another first key, or not the key of a value.
   *   Also throws as a change of the configuration does.
   */
  async rotate(name: string, expectedKey: string): Promise<RotationJson> {
    const key = this.#key();
    if (key !== expectedKey) {
      throw new ConnectError(
        ConnectErrorCode.conflict,
        `The first key of this gateway is ${key}, not ${expectedKey}: give all gateways the same secrets.key.file`,
      );
    }
    const connector = this.view.now().state.connectors.get(name);
    if (connector === undefined) throw notFound(`Connector ${name} not found`);
    const { settings, tasks, plain, missing } = await this.#needs(connector, key);
    const concerned = [...new Set([...Object.values(settings).flat(), ...plain])].sort();
    const lost = missing.filter((id) => settings[id] !== undefined);
    if (lost.length > 0) {
      throw new ConnectError(
        ConnectErrorCode.conflict,
        `Connector ${name} needs the key ${lost.join(', ')}, which this gateway does not have: add it to secrets.key.file, or give the values of ` +
          `${lost.flatMap((id) => settings[id] ?? []).join(', ')} again`,
      );
    }
    if (concerned.length === 0 && Object.keys(tasks).length === 0) return { connector: name, result: 'current', settings: [] };
    // Its tasks get other settings when it is split, which nothing hastens.
    const isStopped = connector.targetState === TargetState.stopped;
    if (concerned.length === 0 && (isStopped || isBeingSplit(connector))) return { connector: name, result: 'waiting', settings: [] };
    await this.writer.rotateSecrets(name);
    return { connector: name, result: 'rotated', settings: concerned };
  }

  #key(): string {
    const { currentKey } = this.cipher;
    if (currentKey !== undefined) return currentKey;
    throw new ConnectError(ConnectErrorCode.conflict, 'This gateway has no keys: set secrets.key.file');
  }

  async #needs(connector: ConnectorState, key: string): Promise<ConnectorSecretsJson> {
    const { name, config, targetState } = connector;
    const settings: Record<string, string[]> = {};
    for (const setting of Object.keys(config).sort()) {
      const value = config[setting] ?? '';
      const id = isSealed(value) ? sealedWith(value) : undefined;
      if (id !== undefined && id !== key) (settings[id] ??= []).push(setting);
    }
    const tasks: Record<string, number> = {};
    for (const task of currentTasks(this.view.now().state.tasks, connector))
      for (const id of keysOf(taskConfig(connector, task))) if (id !== key) tasks[id] = (tasks[id] ?? 0) + 1;
    const opened = this.sealed.open(name, config);
    const plain = this.sealed.unsealed(config, anySecret(await this.secrets.of(config), opened.isSecret));
    const missing = [...new Set([...Object.keys(settings), ...Object.keys(tasks)])].filter((id) => !this.cipher.has(id));
    return { connector: name, settings, tasks, plain, missing, state: targetState };
  }
}

function keysOf(config: Config): ReadonlySet<string> {
  return new Set(Object.values(config).flatMap((value) => sealedWith(value) ?? []));
}
