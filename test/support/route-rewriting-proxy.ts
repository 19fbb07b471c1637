import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A name server in front of the real one. Its answers name another address for a broker, so that a client reaches the broker through a
 * proxy.
 */
export class RouteRewritingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(namesrv: string, from: string, to: string) {
    const [host = '', port] = namesrv.split(':');
    this.#server = createServer((client) => {
      const upstream = connect(Number(port), host);
      client.pipe(upstream);
      let buffered = Buffer.alloc(0);
      upstream.on('data', (chunk: Buffer) => {
        buffered = Buffer.concat([buffered, chunk]);
        while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
          const end = 4 + buffered.readInt32BE(0);
          client.write(rewritten(buffered.subarray(0, end), from, to));
          buffered = buffered.subarray(end);
        }
      });
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
    });
  }

  static async of(namesrv: string, from: string, to: string): Promise<RouteRewritingProxy> {
    const proxy = new RouteRewritingProxy(namesrv, from, to);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function rewritten(frame: Buffer, from: string, to: string): Buffer {
  const headerLength = frame.readInt32BE(4) & 0xff_ff_ff;
  const body = frame.toString('utf8', 8 + headerLength).replaceAll(from, to);
  const copy = Buffer.concat([frame.subarray(0, 8 + headerLength), Buffer.from(body)]);
  copy.writeInt32BE(copy.length - 4, 0);
  return copy;
}
