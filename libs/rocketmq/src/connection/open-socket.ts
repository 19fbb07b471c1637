import { connect, type OnReadOpts, type Socket } from 'node:net';
import { ConnectFailedError, TlsHandshakeError } from '../errors.js';
import { parseBrokerAddress } from './broker-address.js';
import type { TlsSettings } from './tls-settings.js';

interface OpenSocketOptions {
  readonly connectTimeoutMs: number;
  readonly tls?: TlsSettings | undefined;
}

/** Takes what a socket reads. */
export interface SocketReads {
  /** Returns where the next bytes go. */
  space(): Buffer;
  onBytes(count: number): void;
}

/**
 * Returns a socket that is ready for requests: connected and, with `tls`, past the handshake.
 * @throws ConnectFailedError, TlsHandshakeError (as rejections), InvalidArgumentError
 */
export function openSocket(address: string, options: OpenSocketOptions, signal: AbortSignal, reads: SocketReads): Promise<Socket> {
  const { host, port } = parseBrokerAddress(address);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new ConnectFailedError(address, 'the client is closed'));
      return;
    }
    const { tls } = options;
    const onread: OnReadOpts = {
      buffer: () => reads.space(),
      callback: (count) => {
        reads.onBytes(count);
        return true;
      },
    };
    const socket = tls === undefined ? connect({ host, port, onread }) : tls.connect(host, port, onread);
    const readyEvent = tls === undefined ? 'connect' : 'secureConnect';
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeListener(readyEvent, onReady);
      socket.removeListener('error', onError);
    };
    const fail = (error: Error): void => {
      end();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => {
      fail(new ConnectFailedError(address, 'the client is closed'));
    };
    const onError = (error: Error): void => {
      fail(
        tls !== undefined && !isNetworkError(error)
          ? new TlsHandshakeError(address, reasonOf(error), error)
          : new ConnectFailedError(address, reasonOf(error), error),
      );
    };
    const onReady = (): void => {
      end();
      // Until its owner listens, an error shows in `destroyed` only.
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      resolve(socket);
    };
    const timer = setTimeout(() => {
      fail(new ConnectFailedError(address, `no connection within ${options.connectTimeoutMs} ms`));
    }, options.connectTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(readyEvent, onReady);
    socket.once('error', onError);
  });
}

/** Returns whether the server's host is unavailable; other errors are about certificates and protocols, which waiting does not cure. */
function isNetworkError(error: Error & { readonly code?: string; readonly syscall?: string }): boolean {
  return error.code === 'ECONNRESET' || (error.syscall !== undefined && error.code !== 'EPROTO');
}

/** Returns whether an error is what the other side of a TLS connection, or OpenSSL, reports after the handshake. */
export function isTlsError(error: unknown): boolean {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_SSL_');
}

/**
 * Returns an error's message and code as one text. An attempt on several addresses of one host fails with an error that
 * has no message of its own. OpenSSL's `reason` says what its long message says.
 */
export function reasonOf(error: Error & { readonly code?: string; readonly reason?: unknown }): string {
  const message = isTlsError(error) && typeof error.reason === 'string' ? error.reason : error.message;
  if (message.length === 0) return error.code ?? error.name;
  return error.code === undefined || message.includes(error.code) ? message : `${message} (${error.code})`;
}
