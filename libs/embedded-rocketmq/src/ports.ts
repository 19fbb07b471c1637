import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';
import type { BrokerNode, PlannedNode, NameServerNode } from './cluster-plan.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { describePortOwner, findPortOwner } from './port-owner.js';

/** The ports of the first name server and the first broker, which can be chosen. */
export interface ClusterPorts {
  readonly namesrv: number;
  /** The broker also listens on `broker` - 2 (fast) and `broker` + 1 (HA). */
  readonly broker: number;
  /** Used where the version has a proxy, as is `proxyRemoting`. */
  readonly grpc: number;
  readonly proxyRemoting: number;
}

export interface PortUse {
  readonly port: number;
  readonly use: string;
}

/** Thrown where ports are taken. Code `PORT_TAKEN`, retriable. */
export class PortTakenError extends EmbeddedRocketmqError {
  /** Process ids of those that have the ports, as far as they can be determined. */
  readonly holders: readonly number[];

  constructor(message: string, holders: readonly number[]) {
    super('PORT_TAKEN', message, { retriable: true });
    this.holders = holders;
  }
}

/** Below the range from which Linux takes local ports of outgoing connections (32768 and up by default). */
const FREE_PORT_RANGE = { first: 20_000, last: 32_000 };
const FREE_PORT_ATTEMPTS = 200;

/** Returns every port that the processes listen on, with a name for messages. */
export function portUses(nodes: readonly PlannedNode[]): readonly PortUse[] {
  return nodes.flatMap((node) => (node.kind === 'namesrv' ? nameServerPortUses(node) : brokerPortUses(node)));
}

function nameServerPortUses({ id, ports }: NameServerNode): PortUse[] {
  const uses = [{ port: ports.listen, use: id }];
  if (ports.controller !== undefined) uses.push({ port: ports.controller, use: `controller of ${id}` });
  return uses;
}

function brokerPortUses({ id, ports }: BrokerNode): PortUse[] {
  const uses = [
    { port: ports.listen, use: id },
    { port: ports.listen - 2, use: `${id} fast port (broker port - 2)` },
    { port: ports.listen + 1, use: `${id} HA port (broker port + 1)` },
  ];
  if (ports.grpc !== undefined) uses.push({ port: ports.grpc, use: 'gRPC proxy' });
  if (ports.proxyRemoting !== undefined) uses.push({ port: ports.proxyRemoting, use: 'remoting proxy' });
  return uses;
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
 * Reserves a port until this process ends, or returns undefined where somebody else has. A JVM opens its port seconds after this process has
 * chosen it; meanwhile other processes choose theirs. The reservation is a UDP socket, which leaves the TCP port to the JVM.
 */
function reserve(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').unref();
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      resolve(socket);
    });
  });
}

async function reserveAll(ports: readonly number[]): Promise<boolean> {
  const reserved = await Promise.all(ports.map(reserve));
  if (!reserved.includes(undefined)) return true;
  for (const socket of reserved) socket?.close();
  return false;
}

/**
 * Chooses ports for one name server and one broker, as {@link freeBlock} does. Throws EmbeddedRocketmqError `PORT_TAKEN` when none were
 * found.
 */
export async function freePorts(): Promise<ClusterPorts> {
  const base = await freeBlock([0, 1, 2, 3, 5, 6]);
  return { namesrv: base, grpc: base + 1, proxyRemoting: base + 2, broker: base + 5 };
}

/**
 * Returns a port so that nobody listens on it plus any of `offsets`, chosen at random, and none of those is `taken`. Other callers, also in
 * other processes, get none of them until this process ends. Throws EmbeddedRocketmqError `PORT_TAKEN` when none was found.
 */
export async function freeBlock(offsets: readonly number[], taken: ReadonlySet<number> = new Set()): Promise<number> {
  const size = Math.max(...offsets) + 1;
  const bases = FREE_PORT_RANGE.last - size - FREE_PORT_RANGE.first;
  const start = randomInt(bases);
  let attempts = 0;
  for (let step = 0; step < bases && attempts < FREE_PORT_ATTEMPTS; step++) {
    const base = FREE_PORT_RANGE.first + ((start + step) % bases);
    const ports = offsets.map((offset) => base + offset);
    if (ports.some((port) => taken.has(port))) continue;
    attempts++;
    const outcomes = await Promise.all(ports.map(tryBind));
    if (outcomes.every((outcome) => outcome === 'free') && (await reserveAll(ports))) return base;
  }
  throw new EmbeddedRocketmqError(
    'PORT_TAKEN',
    `no block of ${size} free ports found between ${FREE_PORT_RANGE.first} and ${FREE_PORT_RANGE.last} in ${FREE_PORT_ATTEMPTS} attempts`,
    { retriable: true },
  );
}

/** `preferred` when nobody has it and it is not `taken`, else one as {@link freeBlock} chooses it. */
export async function preferredOrFreePort(preferred: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  const isFree = !taken.has(preferred) && (await tryBind(preferred)) === 'free';
  return isFree ? preferred : freeBlock([0], taken);
}

/** Throws EmbeddedRocketmqError `OPTION_INVALID` for ports out of range or two uses of one port. */
export function checkPortNumbers(nodes: readonly PlannedNode[]): void {
  const seen = new Map<number, string>();
  for (const { port, use } of portUses(nodes)) {
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

/** Throws PortTakenError that names each taken port, its use and who has it. */
export async function checkPortsFree(uses: readonly PortUse[]): Promise<void> {
  const takenBy = new Map<string, string[]>();
  const holders = new Set<number>();
  for (const { port, use } of uses) {
    const outcome = await tryBind(port);
    if (outcome === 'free') continue;
    const found = outcome === 'taken' ? await findPortOwner(port) : undefined;
    if (found?.kind === 'process') holders.add(found.pid);
    const owner = found === undefined ? 'the system: this user may not open it' : describePortOwner(found);
    takenBy.set(owner, [...(takenBy.get(owner) ?? []), `${port} (${use})`]);
  }
  if (takenBy.size === 0) return;
  const lines = [...takenBy].map(([owner, ports]) => `port ${ports.join(', ')} taken by ${owner}`);
  throw new PortTakenError(lines.join('\n'), [...holders]);
}
