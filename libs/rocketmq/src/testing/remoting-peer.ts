import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { ConnectionOptions } from '../connection/connection.js';
import { FrameReader } from '../wire/frame-reader.js';
import { decodeRemotingCommand, type RemotingCommand, type RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';

export const CONNECTION_OPTIONS: ConnectionOptions = {
  clientId: 'spec',
  headerFormat: 'json',
  connectTimeoutMs: 2_000,
  heartbeatIntervalMs: 30_000,
  heartbeatTimeoutMs: 1_000,
  maxFrameBytes: 1024 * 1024,
  maxUnwrittenBytes: 64 * 1024,
  maxWaitingRequests: 4,
  overdueAfterMs: 30_000,
};
export const SOME_REQUEST: RemotingRequest = { code: REQUEST_CODE.GET_MAX_OFFSET, ext: { topic: 't' } };

export function frame(header: object, body = ''): Buffer {
  const json = Buffer.from(JSON.stringify({ language: 'JAVA', version: 473, ...header }));
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + json.length + body.length, 0);
  head.writeInt32BE(json.length, 4);
  return Buffer.concat([head, json, Buffer.from(body)]);
}

export function reply(opaque: number, body = '', code = 0): Buffer {
  return frame({ code, opaque, flag: 1, extFields: {} }, body);
}

/** A peer whose every move the test decides. */
export class RemotingPeer {
  readonly received: RemotingCommand[] = [];
  /** The socket of each received command. */
  readonly receivedOn: Socket[] = [];
  readonly sockets: Socket[] = [];
  onCommand: (command: RemotingCommand, socket: Socket) => void = () => undefined;
  readonly #server: Server;
  readonly #waiters: (() => void)[] = [];

  constructor() {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      const reader = new FrameReader(64 * 1024 * 1024);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        reader.push(chunk, (bytes) => {
          const command = decodeRemotingCommand(Buffer.from(bytes));
          this.received.push(command);
          this.receivedOn.push(socket);
          this.onCommand(command, socket);
        });
        for (const wake of this.#waiters.splice(0)) wake();
      });
    });
  }

  async listen(host = '127.0.0.1'): Promise<string> {
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  stopListening(): void {
    this.#server.close();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
