import { createSecureContext, connect, type SecureContext, type TLSSocket } from 'node:tls';
import { isIP } from 'node:net';
import { InvalidArgumentError } from '../errors.js';

export interface TlsOptions {
  /** PEM. Trusted instead of the well-known authorities. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** PEM of the client's certificate, for servers that ask for one. */
  readonly cert?: string | Buffer | undefined;
  /** PEM of the key of `cert`. */
  readonly key?: string | Buffer | undefined;
  /** The name that the servers' certificates must carry. Default: the host of each address. */
  readonly servername?: string | undefined;
  /** Default true. With false, any certificate will do: the traffic is encrypted, the server not known. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** What TLS connections are made with. The key is not to be seen from outside. */
export class TlsSettings {
  readonly #context: SecureContext;
  readonly #servername: string | undefined;
  readonly #isServerChecked: boolean;

  /** @throws InvalidArgumentError when a certificate or key cannot be read */
  constructor(options: TlsOptions) {
    const { ca, cert, key } = options;
    try {
      this.#context = createSecureContext({
        ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        minVersion: 'TLSv1.2',
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      throw new InvalidArgumentError(`tls: ca, cert or key is not usable PEM (${reason})`);
    }
    this.#servername = options.servername;
    this.#isServerChecked = options.rejectUnauthorized ?? true;
  }

  /** A socket that emits `secureConnect` once the server is known, or `error`. */
  connect(host: string, port: number): TLSSocket {
    const servername = this.#servername ?? (isIP(host) === 0 ? host : undefined);
    return connect({
      host,
      port,
      secureContext: this.#context,
      rejectUnauthorized: this.#isServerChecked,
      ...(servername === undefined ? {} : { servername }),
    });
  }
}
