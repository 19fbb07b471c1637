import { readdir, readFile, readlink } from 'node:fs/promises';
import { processFacts } from './process-identity.js';

export interface SocketRow {
  readonly port: number;
  readonly isListening: boolean;
  /** Whether only this host can reach it. */
  readonly isLoopback: boolean;
  readonly userId: number;
  readonly inode: string;
}

export type PortOwner =
  | { readonly kind: 'process'; readonly pid: number; readonly command: string }
  | { readonly kind: 'user'; readonly userId: number }
  | { readonly kind: 'unknown' };

/** Rows of /proc/net/tcp and tcp6 (proc(5)): local address and port in hex, state 0A = LISTEN, uid, inode. */
export function parseSocketTable(table: string): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const userId = fields[7];
    const inode = fields[9];
    const [addressHex, portHex] = local?.split(':') ?? [];
    if (addressHex === undefined || portHex === undefined || !/^[0-9A-F]{4}$/.test(portHex) || userId === undefined || inode === undefined)
      continue;
    rows.push({
      port: Number.parseInt(portHex, 16),
      isListening: state === '0A',
      isLoopback: isLoopbackAddress(addressHex),
      userId: Number(userId),
      inode,
    });
  }
  return rows;
}

/** Words of 4 bytes in host order (little endian): 127.x.x.x, the same mapped into IPv6, or ::1. */
function isLoopbackAddress(hex: string): boolean {
  return /^(?:0{16}F{4}0{4})?[0-9A-F]{6}7F$/.test(hex) || hex === '00000000000000000000000001000000';
}

async function readSocketTables(): Promise<SocketRow[]> {
  const paths = ['/proc/net/tcp', '/proc/net/tcp6'];
  const tables = await Promise.all(paths.map((path) => readFile(path, 'latin1').catch(() => '')));
  return tables.flatMap(parseSocketTable);
}

/** Returns those of `ports` that other hosts can connect to. Without /proc none are found. */
export async function findExposedPorts(ports: readonly number[]): Promise<number[]> {
  const rows = await readSocketTables();
  return ports.filter((port) => rows.some((row) => row.port === port && row.isListening && !row.isLoopback));
}

/** Returns who holds a local TCP port: the listener, else whoever uses it for a connection. Without /proc the answer is `unknown`. */
export async function findPortOwner(port: number): Promise<PortOwner> {
  const rows = (await readSocketTables()).filter((candidate) => candidate.port === port);
  const row = rows.find((candidate) => candidate.isListening) ?? rows.find((candidate) => candidate.inode !== '0');
  if (row === undefined) return { kind: 'unknown' };
  const pid = await findSocketHolder(row.inode);
  const facts = pid === undefined ? undefined : await processFacts(pid);
  return facts === undefined ? { kind: 'user', userId: row.userId } : { kind: 'process', pid: facts.pid, command: facts.command };
}

async function findSocketHolder(inode: string): Promise<number | undefined> {
  const wanted = `socket:[${inode}]`;
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (target === wanted) return Number(pid);
    }
  }
  return undefined;
}

const LONGEST_COMMAND_END = 120;

/** `pid 4711 (java … NamesrvStartup -c namesrv.conf)`, for an error message: the start and the end of a command say what it is. */
export function describePortOwner(owner: PortOwner): string {
  switch (owner.kind) {
    case 'process':
      return `pid ${owner.pid} (${shorten(owner.command)})`;
    case 'user':
      return `a process of the user with id ${owner.userId} that cannot be looked into`;
    case 'unknown':
      return 'a process that could not be determined';
  }
}

function shorten(command: string): string {
  const program = command.split(' ')[0] ?? '';
  if (command.length <= program.length + LONGEST_COMMAND_END) return command;
  return `${program} …${command.slice(-LONGEST_COMMAND_END)}`;
}
