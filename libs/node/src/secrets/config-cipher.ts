import { openSealed, sealedWith, sealValue } from '@sluice/protocol';
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

  /**
   * Seals a value; returns one that was sealed before where that is the same.
   *
   * @param before a sealed value of the same setting
   */
  seal(connector: string, setting: string, value: string, before?: string | null): string {
    const { ring } = this;
    if (ring === undefined) return value;
    const key = ring.current;
    if (before !== undefined && before !== null && sealedWith(before) === key.id && this.#opensTo(connector, setting, before, value))
      return before;
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
