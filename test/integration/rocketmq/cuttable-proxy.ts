import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP proxy that can hold back what the server answers, swallow all bytes, cut every connection and refuse new ones. */
export class CuttableProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  #isHolding = false;
  #isDown = false;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      if (this.#isDown) {
        client.destroy();
        return;
      }
      const upstream = connect(target.port, target.host);
      const pair = { client, upstream };
      this.#pairs.add(pair);
      client.setNoDelay(true);
      upstream.setNoDelay(true);
      client.pipe(upstream);
      upstream.pipe(client);
      if (this.#isHolding) upstream.unpipe(client);
      for (const socket of [client, upstream]) {
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#pairs.delete(pair);
          client.destroy();
          upstream.destroy();
        });
      }
    });
  }

  static async to(address: string): Promise<CuttableProxy> {
    const [host = '', port] = address.split(':');
    const proxy = new CuttableProxy({ host, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Requests still reach the server; its answers wait here. */
  holdAnswers(): void {
    this.#isHolding = true;
    for (const { client, upstream } of this.#pairs) upstream.unpipe(client).pause();
  }

  releaseAnswers(): void {
    this.#isHolding = false;
    for (const { client, upstream } of this.#pairs) upstream.pipe(client);
  }

  /** The connections of now stay open and pass nothing in either direction, as when a host or a firewall forgets them. */
  swallow(): void {
    for (const { client, upstream } of this.#pairs) {
      client.unpipe(upstream).resume();
      upstream.unpipe(client).resume();
    }
  }

  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Cuts and refuses until `up`. */
  down(): void {
    this.#isDown = true;
    this.cut();
  }

  up(): void {
    this.#isDown = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
