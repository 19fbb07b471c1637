import { readFile } from 'node:fs/promises';

/** Local address of each listener on one of `ports`, as /proc/net writes it. */
export async function listenAddresses(ports: readonly number[]): Promise<string[]> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1')));
  return tables
    .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
    .filter(([, local, , state]) => state === '0A' && ports.includes(Number.parseInt(local?.split(':')[1] ?? '', 16)))
    .map(([, local]) => local?.split(':')[0] ?? '');
}
