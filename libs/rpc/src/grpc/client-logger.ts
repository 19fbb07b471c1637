import { format } from 'node:util';
import { type TransportLogger } from '../rpc-endpoint-options.js';

/** The logger that rocketmq-client-nodejs expects, without `close`. */
export interface ClientLogger {
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
  debug(...args: unknown[]): void;
}

/**
 * Without a logger the client writes to ~/logs/rocketmq and the console, and its shutdown() closes the logger it was given:
 * so every client gets this one, which has no close(). All of it is debug here: the link itself reports what matters, once.
 */
export function createClientLogger(logger: TransportLogger): ClientLogger {
  const write = (...args: unknown[]): void => {
    logger.debug(format(...args));
  };
  return { info: write, warn: write, error: write, debug: () => undefined };
}
