import { createSecureContext, connect, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import { isIP, type OnReadOpts } from 'node:net';
import { InvalidArgumentError } from '../errors.js';

export interface TlsOptions {
  /** PEM. Trusted instead of the well-known authorities. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** PEM of the client's certificate, for servers that ask for one. */
  readonly cert?: string | Buffer | undefined;
  /** PEM of the key of `cert`. */
  readonly key?: string | Buffer | undefined;
  /** Of an encrypted `key`. */
  readonly passphrase?: string | undefined;
  /** The name that is asked for (SNI) and that the servers' certificates must carry. Default: the host of each address. */
  readonly servername?: string | undefined;
  /** Default true. With false, any certificate will do: the traffic is encrypted, the server not known. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** What TLS connections are made with. The key is not to be seen from outside. */
export class TlsSettings {
  #context: SecureContext;
  #servername: string | undefined;
  #isServerChecked: boolean;

  /** @throws InvalidArgumentError when a certificate or key cannot be used */
  constructor(options: TlsOptions) {
    this.#context = contextOf(options);
    this.#servername = options.servername;
    this.#isServerChecked = options.rejectUnauthorized ?? true;
  }

  /** For connections from now on; on an error everything stays as it is. @throws InvalidArgumentError */
  set(options: TlsOptions): void {
    this.#context = contextOf(options);
    this.#servername = options.servername;
    this.#isServerChecked = options.rejectUnauthorized ?? true;
  }

  /** Returns a socket that emits `secureConnect` once the server is known, or `error`. */
  connect(host: string, port: number, onread: OnReadOpts): TLSSocket {
    const servername = this.#servername ?? (isIP(host) === 0 ? host : undefined);
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      onread,
      host,
      port,
      secureContext: this.#context,
      rejectUnauthorized: this.#isServerChecked,
      ...(servername === undefined ? {} : { servername }),
    };
    return connect(options);
  }
}

function contextOf({ ca, cert, key, passphrase }: TlsOptions): SecureContext {
  if ((cert === undefined) !== (key === undefined)) {
    throw new InvalidArgumentError(`tls: 'cert' and 'key' belong together, '${cert === undefined ? 'cert' : 'key'}' is missing`);
  }
  try {
    return createSecureContext({
      ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(passphrase === undefined ? {} : { passphrase }),
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new InvalidArgumentError(`tls: ca, cert or key is not usable PEM (${reason})`);
  }
}
