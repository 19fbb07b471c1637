import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay on a port of its own that can cut its connections, refuse new ones, or swallow all bytes. */
export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #mode: 'open' | 'refusing' | 'silent' = 'open';
  connections = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((inner) => {
      if (this.#mode === 'refusing') {
        inner.destroy();
        return;
      }
      this.connections += 1;
      const outer = connect(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk: Buffer) => {
          if (this.#mode !== 'silent') to.write(chunk);
        });
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async to(address: string): Promise<TcpRelay> {
    const relay = new TcpRelay(Number(address.split(':')[1]));
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openConnections(): number {
    return this.#sockets.size / 2;
  }

  /** Resets every connection; new ones are taken. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.resetAndDestroy();
  }

  /** Resets every connection and those to come, until restore(). */
  refuse(): void {
    this.#mode = 'refusing';
    this.cut();
  }

  /** Keeps connections open but carries nothing, as a dead network does. */
  silence(): void {
    this.#mode = 'silent';
  }

  restore(): void {
    this.#mode = 'open';
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.cut();
    await closed;
  }
}
