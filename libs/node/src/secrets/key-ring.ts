import { statSync } from 'node:fs';
import { SEALING_KEY_BYTES, type SealingKey } from '@sluice/protocol';
import { NodeError } from '../errors/node-error.js';
import type { ReadText } from '../settings/cluster-credentials.js';

/** How often the file is looked at while keys are asked for, in milliseconds. */
const LOOK_INTERVAL_MS = 1000;
const LINE = /^([A-Za-z0-9._-]{1,64})\s*=\s*(\S+)$/;

/** Thrown when a file of keys is wrong; names the line and shows nothing of a key. */
export class KeyFileError extends NodeError {
  constructor(path: string, reason: string) {
    super('SETTINGS_INVALID', `${path}: ${reason}`);
  }
}

/**
 * Reads the keys of a file: on each line an id, `=`, and base64 of 32 bytes. Lines that begin with `#` are comments. The first key seals.
 *
 * @throws KeyFileError
 */
export function parseKeys(path: string, text: string): readonly [SealingKey, ...SealingKey[]] {
  const keys: SealingKey[] = [];
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const [, id, encoded] = LINE.exec(content) ?? [];
    const place = `line ${index + 1}`;
    if (id === undefined || encoded === undefined) throw new KeyFileError(path, `${place} is not written as id=key`);
    const bytes = Buffer.from(encoded, 'base64');
    const isBase64 = bytes.toString('base64').replaceAll('=', '') === encoded.replaceAll('=', '');
    if (!isBase64 || bytes.length !== SEALING_KEY_BYTES) {
      throw new KeyFileError(
        path,
        `the key ${id} on ${place} is not base64 of ${SEALING_KEY_BYTES} bytes: openssl rand -base64 32 makes one`,
      );
    }
    if (keys.some((key) => key.id === id)) throw new KeyFileError(path, `the id ${id} on ${place} comes twice`);
    keys.push({ id, bytes });
  }
  const [first, ...others] = keys;
  if (first === undefined) throw new KeyFileError(path, 'it holds no key');
  return [first, ...others];
}

/** The keys of `secrets.key.file`. A changed file is read again; while it is wrong, the keys from before stay. */
export class KeyRing {
  #keys: readonly [SealingKey, ...SealingKey[]];
  #stamp: string;
  #lookedAtMs = performance.now();

  /**
   * @param warn hears of a changed file that cannot be read
   * @throws KeyFileError
   */
  constructor(
    private readonly path: string,
    private readonly readText: ReadText,
    private readonly warn: (message: string) => void,
  ) {
    this.#stamp = stampOf(path);
    this.#keys = this.#read();
  }

  /** The key that seals from now on. */
  get current(): SealingKey {
    this.#look();
    return this.#keys[0];
  }

  /** Finds a key. Looks at the file at once where it is none of those that are known: who wrote the value has it already. */
  find(id: string): Buffer | undefined {
    this.#look();
    const known = this.#keyOf(id);
    if (known !== undefined) return known;
    this.#look(0);
    return this.#keyOf(id);
  }

  #keyOf(id: string): Buffer | undefined {
    return this.#keys.find((key) => key.id === id)?.bytes;
  }

  #read(): readonly [SealingKey, ...SealingKey[]] {
    let text: string;
    try {
      text = this.readText(this.path);
    } catch (error) {
      throw new KeyFileError(this.path, (error as Error).message);
    }
    return parseKeys(this.path, text);
  }

  #look(intervalMs = LOOK_INTERVAL_MS): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < intervalMs) return;
    this.#lookedAtMs = nowMs;
    const stamp = stampOf(this.path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#keys = this.#read();
    } catch (error) {
      this.warn(`The keys from before stay: ${(error as Error).message}`);
    }
  }
}

/** Another content of the file has another stamp, also where a link leads to another file. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch {
    return 'missing';
  }
}
