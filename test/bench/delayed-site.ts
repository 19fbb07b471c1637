import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { RouteRewritingProxy } from '../support/route-rewriting-proxy.js';

/** A RocketMQ cluster of one broker as clients of another site reach it: each byte takes half of a round trip more. */
export class DelayedSite {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #names: RouteRewritingProxy | undefined;

  private constructor(brokerPort: number, roundTripMs: number) {
    this.#server = createServer((inner) => {
      const outer = connect(brokerPort, '127.0.0.1');
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay(true);
        // Timers of one length end in the order in which they began.
        from.on('data', (chunk: Buffer) => void setTimeout(() => to.write(chunk), roundTripMs / 2));
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          setTimeout(() => to.destroy(), roundTripMs / 2);
        });
      }
    });
  }

  /**
   * Puts a distance in front of a cluster.
   *
   * @param broker its address, as the name server gives it
   */
  static async before(namesrv: string, broker: string, roundTripMs: number): Promise<DelayedSite> {
    const site = new DelayedSite(Number(broker.split(':')[1]), roundTripMs);
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    site.#names = await RouteRewritingProxy.of(namesrv, broker, `127.0.0.1:${(site.#server.address() as AddressInfo).port}`);
    return site;
  }

  /** The name server that leads to it. */
  get namesrv(): string {
    return this.#names?.address ?? '';
  }

  async close(): Promise<void> {
    await this.#names?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
