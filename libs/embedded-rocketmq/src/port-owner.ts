import { readdir, readFile, readlink } from 'node:fs/promises';
import { processFacts } from './process-identity.js';

export interface SocketRow {
  readonly port: number;
  readonly isListening: boolean;
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
    const portHex = local?.split(':')[1];
    if (portHex === undefined || !/^[0-9A-F]{4}$/.test(portHex) || userId === undefined || inode === undefined)
      continue;
    rows.push({ port: Number.parseInt(portHex, 16), isListening: state === '0A', userId: Number(userId), inode });
  }
  return rows;
}

/** Who holds a local TCP port: the listener, else whoever uses it for a connection. Without /proc the answer is `unknown`. */
export async function findPortOwner(port: number): Promise<PortOwner> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  const rows = tables.flatMap(parseSocketTable).filter((row) => row.port === port);
  const row = rows.find((candidate) => candidate.isListening) ?? rows.find((candidate) => candidate.inode !== '0');
  if (row === undefined) return { kind: 'unknown' };
  const pid = await findSocketHolder(row.inode);
  const facts = pid === undefined ? undefined : await processFacts(pid);
  return facts === undefined
    ? { kind: 'user', userId: row.userId }
    : { kind: 'process', pid: facts.pid, command: facts.command };
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

const LONGEST_COMMAND = 160;

/** `pid 4711 (java -cp …)`, for an error message. */
export function describePortOwner(owner: PortOwner): string {
  switch (owner.kind) {
    case 'process': {
      const isLong = owner.command.length > LONGEST_COMMAND;
      return `pid ${owner.pid} (${isLong ? `${owner.command.slice(0, LONGEST_COMMAND)}…` : owner.command})`;
    }
    case 'user':
      return `a process of the user with id ${owner.userId} that cannot be looked into`;
    case 'unknown':
      return 'a process that could not be determined';
  }
}
