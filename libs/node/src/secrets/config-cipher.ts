import { isSealed, openSealed, sealedWith, sealValue } from '@sluice/protocol';
import type { ScopedLogger } from '../logging/process-logger.js';
import { readTextFile } from '../settings/read-settings.js';
import type { NodeSettings } from '../settings/node-settings.js';
import { KeyRing } from './key-ring.js';

/** Seals and opens values of connectors' settings with the keys of a node. */
export class ConfigCipher {
  constructor(
    private readonly clusterId: string,
    private readonly ring: Pick<KeyRing, 'current' | 'find'> | undefined,
  ) {}

  /** Without keys a node stores values as they are. */
  get canSeal(): boolean {
    return this.ring !== undefined;
  }

  /** The id of the key that seals from now on; `undefined` without keys. */
  get currentKey(): string | undefined {
    return this.ring?.current.id;
  }

  /** Returns whether the node has a key. */
  has(keyId: string): boolean {
    return this.ring?.find(keyId) !== undefined;
  }

  /**
   * Seals a value; returns one that was sealed before where that is the same. Nodes with other first keys would else write another text each time.
   *
   * @param before a sealed value of the same setting
   * @param keyId the key that has to have sealed it. Without it any key of the node may, and another value is sealed with the first one. A key that
   *   the node does not have stands for the first one.
   */
  seal(connector: string, setting: string, value: string, before?: string | null, keyId?: string): string {
    const { ring } = this;
    if (ring === undefined) return value;
    const bytes = keyId === undefined ? undefined : ring.find(keyId);
    const key = keyId === undefined || bytes === undefined ? ring.current : { id: keyId, bytes };
    if (typeof before === 'string' && isSealed(before)) {
      const isOfKey = keyId === undefined || sealedWith(before) === key.id;
      if (isOfKey && this.#opensTo(connector, setting, before, value)) return before;
    }
    return sealValue(value, key, { clusterId: this.clusterId, connector, setting });
  }

  /** @throws SealedValueError */
  open(connector: string, setting: string, sealed: string): string {
    return openSealed(sealed, (id) => this.ring?.find(id), { clusterId: this.clusterId, connector, setting });
  }

  #opensTo(connector: string, setting: string, sealed: string, value: string): boolean {
    try {
      return this.open(connector, setting, sealed) === value;
    } catch {
      return false;
    }
  }
}

/** Makes the cipher of a node, as its setting `secrets.key.file` says. @throws KeyFileError */
export function openCipher({ clusterId, secretsKeyFile }: NodeSettings, logger: Pick<ScopedLogger, 'warn'>): ConfigCipher {
  const warn = (message: string): void => {
    logger.warn(message);
  };
  return new ConfigCipher(clusterId, secretsKeyFile === undefined ? undefined : new KeyRing(secretsKeyFile, readTextFile, warn));
}
