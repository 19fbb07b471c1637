import { randomBytes } from 'node:crypto';
import type { SealingKey } from '@sluice/protocol';

/** The keys of a gateway as a spec sets them; the first one encrypts. */
export class SettableKeyRing {
  constructor(public keys: readonly [SealingKey, ...SealingKey[]]) {}

  get current(): SealingKey {
    return this.keys[0];
  }

  find(id: string): Buffer | undefined {
    return this.keys.find((key) => key.id === id)?.bytes;
  }
}

/** Makes a key of random bytes. */
export function newKey(id: string): SealingKey {
  return { id, bytes: randomBytes(32) };
}
