import { ConfigError, ConnectError, ConnectErrorCode, RetriableError } from '@sluice/sdk';
import type { RegistrySettings } from './registry-settings.js';

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_MESSAGE = 500;
/** Unknown, incompatible and invalid schemas. */
const REFUSALS: ReadonlySet<number> = new Set([404, 409, 422]);

/** Says that the registry answered, and refused what it was asked: an unknown id, an incompatible schema, a schema that is wrong. */
export class RegistryRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface Address {
  /** Without user and password. */
  readonly url: string;
  readonly authorization: string | undefined;
}

/** Asks a schema registry with the Confluent API, its addresses in turn. Credentials stay out of errors, and go to these addresses alone. */
export class RegistryClient {
  readonly #addresses: readonly Address[];
  readonly #timeoutMs: number;
  /** The place of the address that answered last. */
  #next = 0;

  /** @throws ConfigError for an address that is none, and for credentials that are not complete */
  constructor(settings: RegistrySettings) {
    const header = authorizationOf(settings);
    this.#addresses = settings['schema.registry.url'].map((url) => addressOf(url, header));
    this.#timeoutMs = settings['http.read.timeout.ms'];
  }

  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#ask('GET', path, undefined, signal);
  }

  post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    return this.#ask('POST', path, JSON.stringify(body), signal);
  }

  /**
   * @throws RegistryRefusal for an answer that says no to what was asked
   * @throws RetriableError where no address gave an answer
   * @throws ConnectError where the credentials were refused
   */
  async #ask(method: string, path: string, body: string | undefined, signal: AbortSignal): Promise<unknown> {
    const failures: string[] = [];
    for (let tried = 0; tried < this.#addresses.length; tried += 1) {
      const at = (this.#next + tried) % this.#addresses.length;
      const address = this.#addresses[at];
      if (address === undefined) break;
      signal.throwIfAborted();
      const failure = await this.#askOne(address, method, path, body, signal);
      if ('answer' in failure) {
        this.#next = at;
        return failure.answer;
      }
      failures.push(`${address.url}: ${failure.reason}`);
    }
    throw new RetriableError(`The schema registry gave no answer to ${method} ${path}: ${failures.join('; ')}`);
  }

  async #askOne(
    { url, authorization }: Address,
    method: string,
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly answer: unknown } | { readonly reason: string }> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + path, {
        method,
        headers: {
          Accept: `${CONTENT_TYPE}, application/json`,
          ...(body === undefined ? undefined : { 'Content-Type': CONTENT_TYPE }),
          ...(authorization === undefined ? undefined : { Authorization: authorization }),
        },
        ...(body === undefined ? undefined : { body }),
        // Another host must not get the credentials.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
      });
      text = await limitedText(response);
    } catch (error) {
      signal.throwIfAborted();
      return { reason: reasonOf(error, this.#timeoutMs) };
    }
    const { status } = response;
    if (status >= 500 || status === 429 || status === 408) return { reason: `it answered ${status}` };
    if (status === 401 || status === 403) {
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `The schema registry ${url} refused the credentials, or has no right for them (${status})`,
      );
    }
    if (status >= 300 && status < 400) {
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `The schema registry ${url} answered with a redirect (${status}); give its own address`,
      );
    }
    const json = jsonOf(text);
    if (status === 200) return json === undefined ? { reason: 'its answer is no JSON object' } : { answer: json };
    // A proxy in front of a registry has the same statuses, but not its codes of errors.
    if (!REFUSALS.has(status) || typeof json?.['error_code'] !== 'number')
      return { reason: `it answered ${status}, not as a registry does` };
    throw new RegistryRefusal(status, messageOf(json));
  }
}

function addressOf(given: string, header: string | undefined): Address {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw invalid('schema.registry.url', 'an address with http:// or https:// is needed');
  }
  const { username, password } = url;
  const own = username === '' ? undefined : basic(`${unescaped(username)}:${unescaped(password)}`);
  url.username = '';
  url.password = '';
  return { url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), authorization: header ?? own };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('schema.registry.url', 'its user or password has a % that begins no escape; write %25');
  }
}

function authorizationOf(settings: RegistrySettings): string | undefined {
  const token = settings['bearer.auth.token'];
  const userInfo = settings['basic.auth.user.info'];
  if (settings['bearer.auth.credentials.source'] !== undefined || token !== undefined) {
    if (token === undefined || token === '') throw invalid('bearer.auth.token', 'bearer.auth.credentials.source needs one');
    if (userInfo !== undefined) throw invalid('bearer.auth.token', 'it is given beside basic.auth.user.info; give one of both');
    return `Bearer ${token}`;
  }
  if (settings['basic.auth.credentials.source'] === 'USER_INFO') {
    if (userInfo === undefined || !userInfo.includes(':')) throw invalid('basic.auth.user.info', 'user:password is needed');
    return basic(userInfo);
  }
  if (userInfo !== undefined) throw invalid('basic.auth.user.info', 'it needs basic.auth.credentials.source=USER_INFO');
  return undefined;
}

function basic(userInfo: string): string {
  return `Basic ${Buffer.from(userInfo, 'utf8').toString('base64')}`;
}

function invalid(field: string, reason: string): ConfigError {
  return new ConfigError('The configuration of the schema registry', [
    { field, message: `Invalid value for configuration ${field}: ${reason}.` },
  ]);
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw new RangeError(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'no connection';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const { cause } = error;
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message;
  return error.message;
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function messageOf({ message, error_code: code }: Readonly<Record<string, unknown>>): string {
  const text = typeof message === 'string' ? message.slice(0, MAX_MESSAGE) : 'it gave no reason';
  return `${text} (error ${String(code)})`;
}
