import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * From now on each connection ends with its next answer. A server that was told to close waits for its connections, and one on which a client
 * asks again and again, as scrapers and probes do, never becomes idle: it would keep the process from ending.
 */
export function endConnections(server: Server): void {
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close');
  });
}
