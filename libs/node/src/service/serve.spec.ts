import 'reflect-metadata';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Role } from '@sluice/core';
import { RpcError, type RpcEndpoint } from '@sluice/rpc';
import { ProcessLogger } from '../logging/process-logger.js';
import { serve, type ServedNode } from './serve.js';
import type { Service } from './service.js';

@Module({})
class NoModule {}

/** What was started and stopped, in this order. */
let events: string[];
let addresses: string[];
let others: Server | undefined;

afterEach(() => {
  others?.close();
  others = undefined;
});

function nodeAt(httpPort: number): ServedNode {
  const settings = { nodeId: 'n1', role: Role.gateway, httpHost: '127.0.0.1', httpPort };
  const listensAt = (address: string): void => {
    addresses.push(address);
  };
  return { settings: settings as ServedNode['settings'], logger: new ProcessLogger('error'), listensAt };
}

function createRpc(): RpcEndpoint {
  events = [];
  addresses = [];
  const rpc = {
    state: 'ready',
    start: () => Promise.resolve(void events.push('rpc started')),
    stop: () => Promise.resolve(void events.push('rpc stopped')),
    serve: () => undefined,
    stopServing: () => Promise.resolve(void events.push('no questions any more')),
    onState: () => () => undefined,
  };
  return rpc as unknown as RpcEndpoint;
}

function serviceWith(more: Partial<Service> = {}): Service {
  return {
    module: NoModule,
    start: () => void events.push('service started'),
    stop: () => Promise.resolve(void events.push('service stopped')),
    ...more,
  };
}

const neverStopped = new AbortController().signal;

describe('serving a role', () => {
  it('stops all parts once it is asked to', async () => {
    const stopping = new AbortController();
    const node = nodeAt(0);
    const start = (): void => {
      stopping.abort(new Error('stop'));
    };
    await serve(node, createRpc, () => serviceWith({ start }), stopping.signal);
    expect(addresses).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    expect(events).toEqual(['rpc started', 'rpc started', 'service stopped', 'no questions any more', 'rpc stopped']);
  });

  it('stops the rpc endpoint where the role cannot be created', async () => {
    const create = (): never => {
      throw new Error('two connectors have one name');
    };
    await expect(serve(nodeAt(0), createRpc, create, neverStopped)).rejects.toThrow('two connectors have one name');
    expect(events).toEqual(['rpc started', 'rpc stopped']);
  });

  it('stops all parts where the HTTP port is taken, and names the settings', async () => {
    others = createServer().listen(0, '127.0.0.1');
    await once(others, 'listening');
    const { port } = others.address() as AddressInfo;
    const failure = { code: 'HTTP_PORT_UNAVAILABLE', message: expect.stringContaining('SLUICE_HTTP_PORT') };
    await expect(serve(nodeAt(port), createRpc, () => serviceWith(), neverStopped)).rejects.toMatchObject(failure);
    expect(events).toEqual(['rpc started', 'rpc started', 'service stopped', 'no questions any more', 'rpc stopped']);
  });

  it('stops the other parts where one fails to stop', async () => {
    const stop = (): Promise<void> => Promise.reject(new RpcError('RPC_TIMEOUT', 'the last report was not sent'));
    const start = (): void => {
      throw new Error('a loop cannot start');
    };
    const served = serve(nodeAt(0), createRpc, () => serviceWith({ start, stop }), neverStopped);
    await expect(served).rejects.toThrow('the last report was not sent');
    expect(events).toEqual(['rpc started', 'rpc started', 'no questions any more', 'rpc stopped']);
  });
});
