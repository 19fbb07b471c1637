import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { describePortOwner, findPortOwner } from './port-owner.js';

/** The ports that can be chosen. The broker also listens on `broker` - 2 (fast) and `broker` + 1 (HA). */
export interface ClusterPorts {
  readonly namesrv: number;
  readonly broker: number;
  readonly grpc: number;
  /** The proxy's remoting protocol: RocketMQ always opens it, Sluice does not use it. */
  readonly proxyRemoting: number;
}

export interface PortUse {
  readonly port: number;
  readonly use: string;
}

/** Below the range from which Linux takes local ports of outgoing connections (32768 and up by default). */
const FREE_PORT_RANGE = { first: 20_000, last: 32_000 };
const FREE_PORT_ATTEMPTS = 200;
/** namesrv, gRPC, proxy remoting, fast, (gap), broker, HA: offsets into one block, so that two blocks overlap seldom. */
const BLOCK = { namesrv: 0, grpc: 1, proxyRemoting: 2, broker: 5, size: 7 };

/** Every port that a cluster listens on, with a name for messages. */
export function portUses(ports: ClusterPorts): readonly PortUse[] {
  return [{ port: ports.namesrv, use: 'namesrv' }, ...brokerPortUses(ports)];
}

/** The ports of the process that holds the broker and the proxy. */
export function brokerPortUses(ports: ClusterPorts): readonly PortUse[] {
  return [
    { port: ports.broker, use: 'broker' },
    { port: ports.broker - 2, use: 'broker fast port (broker port - 2)' },
    { port: ports.broker + 1, use: 'broker HA port (broker port + 1)' },
    { port: ports.grpc, use: 'gRPC proxy' },
    { port: ports.proxyRemoting, use: 'remoting proxy' },
  ];
}

type BindOutcome = 'free' | 'taken' | 'forbidden';

function tryBind(port: number): Promise<BindOutcome> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EACCES') resolve('forbidden');
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve('free');
      });
    });
  });
}

/**
 * Ports nobody listens on now, chosen at random so that two callers at the same time hardly meet.
 * Throws EmbeddedRocketmqError `PORT_TAKEN` when no block was free.
 */
export async function freePorts(): Promise<ClusterPorts> {
  for (let attempt = 0; attempt < FREE_PORT_ATTEMPTS; attempt++) {
    const base = randomInt(FREE_PORT_RANGE.first, FREE_PORT_RANGE.last - BLOCK.size);
    const ports: ClusterPorts = {
      namesrv: base + BLOCK.namesrv,
      grpc: base + BLOCK.grpc,
      proxyRemoting: base + BLOCK.proxyRemoting,
      broker: base + BLOCK.broker,
    };
    const outcomes = await Promise.all(portUses(ports).map(({ port }) => tryBind(port)));
    if (outcomes.every((outcome) => outcome === 'free')) return ports;
  }
  throw new EmbeddedRocketmqError(
    'PORT_TAKEN',
    `no block of ${BLOCK.size} free ports found between ${FREE_PORT_RANGE.first} and ${FREE_PORT_RANGE.last} in ${FREE_PORT_ATTEMPTS} attempts`,
    { retriable: true },
  );
}

/** `preferred` when nobody has it and it is not `taken`, else one that the system gives out. */
export async function preferredOrFreePort(preferred: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  if (!taken.has(preferred) && (await tryBind(preferred)) === 'free') return preferred;
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('the system gave out no port'));
      });
    });
  });
}

/** Throws EmbeddedRocketmqError `OPTION_INVALID` for ports out of range or two uses of one port. */
export function checkPortNumbers(ports: ClusterPorts): void {
  const seen = new Map<number, string>();
  for (const { port, use } of portUses(ports)) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new EmbeddedRocketmqError('OPTION_INVALID', `${use}: port ${port} given, 1 to 65535 are allowed`);
    }
    const other = seen.get(port);
    if (other !== undefined) {
      throw new EmbeddedRocketmqError('OPTION_INVALID', `port ${port} is asked for twice: ${other} and ${use}`);
    }
    seen.set(port, use);
  }
}

/** Throws EmbeddedRocketmqError `PORT_TAKEN` that names each taken port, its use and who has it. */
export async function checkPortsFree(uses: readonly PortUse[]): Promise<void> {
  const takenBy = new Map<string, string[]>();
  for (const { port, use } of uses) {
    const outcome = await tryBind(port);
    if (outcome === 'free') continue;
    const owner =
      outcome === 'taken' ? describePortOwner(await findPortOwner(port)) : 'the system: this user may not open it';
    takenBy.set(owner, [...(takenBy.get(owner) ?? []), `${port} (${use})`]);
  }
  if (takenBy.size === 0) return;
  const lines = [...takenBy].map(([owner, ports]) => `port ${ports.join(', ')} taken by ${owner}`);
  throw new EmbeddedRocketmqError('PORT_TAKEN', lines.join('\n'), { retriable: true });
}
