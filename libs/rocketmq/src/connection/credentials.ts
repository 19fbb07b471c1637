import { CredentialsUnavailableError, InvalidArgumentError, isRocketMqError } from '../errors.js';
import type { CallDeadline } from './call-deadline.js';

export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of temporary credentials. */
  readonly securityToken?: string | undefined;
}

/** Credentials, or a function that is asked for them again while the client runs: about once per second of use. */
export type CredentialsSource = Credentials | (() => Credentials | Promise<Credentials>);

const REFRESH_AFTER_MS = 1_000;
const WHAT = 'credentials';

/**
 * The credentials in use. Nothing of them is visible from outside: no field, no text form, no error message.
 * A source that fails after it once succeeded leaves the last credentials in use.
 */
export class CredentialsCache {
  #source: CredentialsSource | undefined;
  #current: Credentials | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  /** Counts what was set, so that an answer of an earlier source is dropped. */
  #generation = 0;
  #version = 0;

  /** @throws InvalidArgumentError */
  constructor(source: CredentialsSource | undefined) {
    this.set(source);
  }

  /** Replaces the source from the next request on. @throws InvalidArgumentError */
  set(source: CredentialsSource | undefined): void {
    const fixed = source === undefined || typeof source === 'function' ? undefined : checked(source);
    this.#source = fixed ?? source;
    this.#use(fixed);
    this.#loadedAt = Number.NEGATIVE_INFINITY;
    this.#loading = undefined;
    this.#generation += 1;
  }

  get current(): Credentials | undefined {
    return this.#current;
  }

  /** Whether requests can be signed now; otherwise `load` comes first. */
  get isReady(): boolean {
    return typeof this.#source !== 'function' || performance.now() - this.#loadedAt < REFRESH_AFTER_MS;
  }

  /** Changes with `current`. */
  get version(): number {
    return this.#version;
  }

  /** Says that a server refused the credentials: the source is asked before the next request. */
  expire(): void {
    this.#loadedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Asks the source again after a broker refused the credentials of that version, unless others are in use already.
   * Returns whether they are others now. A source that fails leaves them as they are.
   */
  async renew(refusedVersion: number, deadline: CallDeadline): Promise<boolean> {
    const isOther = (): boolean => this.#version !== refusedVersion;
    try {
      // An answer that is under way may be older than the refusal.
      if (!isOther() && this.#loading !== undefined) await this.load(deadline);
      if (isOther()) return true;
      this.expire();
      await this.load(deadline);
    } catch (error) {
      if (!isRocketMqError(error)) throw error;
    }
    return isOther();
  }

  /** Asks the source; all who wait share one answer. @throws CredentialsUnavailableError, RequestTimeoutError, RequestAbortedError */
  async load(deadline: CallDeadline): Promise<void> {
    const source = this.#source;
    if (typeof source !== 'function') return;
    this.#loading ??= this.#ask(source, this.#generation);
    await deadline.race(this.#loading, WHAT, () => 'not-sent');
  }

  #use(credentials: Credentials | undefined): void {
    if (!isSame(credentials, this.#current)) this.#version += 1;
    this.#current = credentials;
  }

  async #ask(source: () => Credentials | Promise<Credentials>, generation: number): Promise<void> {
    try {
      const loaded = checked(await Promise.resolve().then(source));
      if (generation === this.#generation) this.#use(loaded);
    } catch (error) {
      if (generation === this.#generation && this.#current === undefined) {
        throw isRocketMqError(error) ? error : new CredentialsUnavailableError(error);
      }
    } finally {
      if (generation === this.#generation) {
        this.#loading = undefined;
        this.#loadedAt = this.#current === undefined ? Number.NEGATIVE_INFINITY : performance.now();
      }
    }
  }
}

function isSame(a: Credentials | undefined, b: Credentials | undefined): boolean {
  return a?.accessKey === b?.accessKey && a?.secretKey === b?.secretKey && a?.securityToken === b?.securityToken;
}

function checked(given: Credentials): Credentials {
  const { accessKey, secretKey, securityToken } = given;
  for (const [name, value] of Object.entries({ accessKey, secretKey })) {
    if (typeof value !== 'string' || value.length === 0) {
      throw new InvalidArgumentError(`${WHAT}: '${name}' is ${typeof value}, expected a string that is not empty`);
    }
  }
  return { accessKey, secretKey, securityToken };
}
