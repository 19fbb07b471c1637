import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { endConnections, reachableAddress } from './http-server.js';

let server: Server;
let agent: Agent;
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  answer = (response) => response.end('answer');
  server = createServer((_request, response) => {
    answer(response);
  });
  // One connection, which stays open for as long as the server lets it.
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
});

async function ask(): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(get({ host: '127.0.0.1', port, agent }), 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}

describe('endConnections', () => {
  it('lets a client keep its connection before', async () => {
    expect((await ask()).headers.connection).toBe('keep-alive');
  });

  it('ends a connection with its next answer', async () => {
    await ask();
    endConnections(server);
    expect((await ask()).headers.connection).toBe('close');
  });

  it('lets a server close with the answer that is under way, which its client still gets', async () => {
    const underWay = new Promise<ServerResponse>((resolve) => {
      answer = resolve;
    });
    endConnections(server);
    const asking = ask();
    const response = await underWay;
    const closed = once(server, 'close');
    server.close();
    response.end('late');
    expect((await asking).headers.connection).toBe('close');
    await closed;
  });
});

describe('reachableAddress', () => {
  it.each([
    ['127.0.0.1', 'IPv4', '127.0.0.1:8083'],
    ['0.0.0.0', 'IPv4', 'node-7:8083'],
    ['::', 'IPv6', 'node-7:8083'],
    ['::1', 'IPv6', '[::1]:8083'],
  ])('of a server on %s (%s) is %s', (address, family, expected) => {
    expect(reachableAddress({ address, family, port: 8083 }, 'node-7')).toBe(expected);
  });
});
