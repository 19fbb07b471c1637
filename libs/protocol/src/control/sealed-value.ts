import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ProtocolError } from '../protocol-error.js';

const PREFIX = 'sluice-sealed:';
const FORM = /^sluice-sealed:1:([A-Za-z0-9._-]{1,64}):([A-Za-z0-9_-]+)$/;
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes of a key that seals. */
export const SEALING_KEY_BYTES = 32;

/** A key with the id that stands beside what it seals. */
export interface SealingKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** Where a sealed value belongs: it opens nowhere else. */
export interface SealedPlace {
  readonly clusterId: string;
  readonly connector: string;
  readonly setting: string;
}

/** Thrown when a sealed value cannot be opened; says nothing of the value. */
export class SealedValueError extends ProtocolError {
  constructor(
    readonly reason: string,
    /** The key that is missing, where it is. */
    readonly missingKey?: string,
  ) {
    super('SEALED_VALUE', reason);
  }
}

/** Whether a value of a setting is sealed, or pretends to be. */
export function isSealed(value: string): boolean {
  return value.startsWith(PREFIX);
}

/** Returns the id of the key of a sealed value; `undefined` for any other value. */
export function sealedWith(value: string): string | undefined {
  return FORM.exec(value)?.[1];
}

/**
 * Encrypts a value of a setting with AES-256-GCM under a random nonce. The sealed form is `sluice-sealed:1:`, the id of the key, `:` and base64url of
 * nonce, ciphertext and tag. The authenticated data is the JSON array of cluster, connector, setting and id of the key.
 */
export function sealValue(value: string, { id, bytes }: SealingKey, place: SealedPlace): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, bytes, nonce, { authTagLength: TAG_BYTES }).setAAD(boundTo(place, id));
  const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${PREFIX}1:${id}:${sealed.toString('base64url')}`;
}

/**
 * Decrypts what {@link sealValue} made.
 *
 * @param keyOf finds a key by its id
 * @throws SealedValueError where the key is missing, or the value was changed or belongs elsewhere
 */
export function openSealed(sealed: string, keyOf: (id: string) => Buffer | undefined, place: SealedPlace): string {
  const [, id, data] = FORM.exec(sealed) ?? [];
  if (id === undefined || data === undefined) throw new SealedValueError('it is not an encrypted value that this version reads');
  const key = keyOf(id);
  if (key === undefined) throw new SealedValueError(`it is encrypted with the key ${id}, which this node does not have`, id);
  const bytes = Buffer.from(data, 'base64url');
  const end = bytes.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(boundTo(place, id))
      .setAuthTag(bytes.subarray(end));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]).toString('utf8');
  } catch {
    throw new SealedValueError(
      `it does not open with the key ${id}: it was changed, belongs to another setting, or the key is another one`,
    );
  }
}

function boundTo({ clusterId, connector, setting }: SealedPlace, keyId: string): Buffer {
  return Buffer.from(JSON.stringify([clusterId, connector, setting, keyId]), 'utf8');
}
