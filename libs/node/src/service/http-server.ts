import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NodeError } from '../errors/node-error.js';

const portProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be opened by this user',
  EADDRNOTAVAIL: 'is on an address that this machine does not have',
};

/** Thrown when a node cannot listen at its HTTP address; says why and which settings to change. */
export class HttpPortError extends NodeError {
  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const why = portProblems[cause.code ?? ''] ?? `cannot be opened: ${cause.message}`;
    const advice = 'Set SLUICE_HTTP_PORT (http.port) or SLUICE_HTTP_HOST (http.host) to choose another';
    super('HTTP_PORT_UNAVAILABLE', `Port ${port} of ${host} ${why}. ${advice}`, { cause });
  }
}

/** Opens the HTTP port of an application. @throws HttpPortError */
export async function listen(app: INestApplication, host: string, port: number): Promise<Server> {
  await app.listen(port, host).catch((error: unknown) => {
    throw new HttpPortError(host, port, error as Error);
  });
  return app.getHttpServer() as Server;
}

/** Where a server that listens is reached, as host:port. One that listens on all addresses is reached by the name of its host. */
export function reachableAddress({ address, family, port }: AddressInfo, hostName: string): string {
  if (address === '0.0.0.0' || address === '::') return `${hostName}:${port}`;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * Ends each connection with its next answer from now on. A server that closes waits for its connections. One on which a client asks again and
 * again, as scrapers and probes do, never becomes idle, and would keep the process from ending.
 */
export function endConnections(server: Server): void {
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close');
  });
}
