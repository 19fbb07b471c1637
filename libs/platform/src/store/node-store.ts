import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireExclusiveLock, type ExclusiveLock } from '@sluice/sdk';
import { readJsonFile, writeFileAtomically } from './atomic-file.js';

/** The four files of a node: the local copy of what was folded from the topics. */
export const NodeFile = {
  connectorConfig: 'connectorConfig.json',
  taskConfig: 'taskConfig.json',
  position: 'position.json',
  offset: 'offset.json',
} as const;
export type NodeFile = (typeof NodeFile)[keyof typeof NodeFile];

const identityFile = 'node.json';

/**
 * A node's own directory, `<storePathRootDir>/<nodeId>`, exclusively locked while the process lives.
 *
 * Holding the lock proves that the incarnation noted there is dead.
 */
export class NodeStore {
  private constructor(
    readonly directory: string,
    readonly nodeId: string,
    readonly incarnation: string,
    readonly supersedes: string | undefined,
    private readonly lock: ExclusiveLock,
  ) {}

  /** @throws ConnectError naming the holder when another process has the directory. */
  static async open(rootDirectory: string, nodeId: string): Promise<NodeStore> {
    const directory = join(rootDirectory, nodeId);
    await mkdir(directory, { recursive: true });
    const lock = await acquireExclusiveLock(join(directory, 'lock'));
    try {
      const before = await readJsonFile(join(directory, identityFile));
      const incarnation = randomUUID();
      await writeFileAtomically(join(directory, identityFile), JSON.stringify({ nodeId, incarnation }));
      return new NodeStore(directory, nodeId, incarnation, incarnationOf(before), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  read(file: NodeFile): Promise<unknown> {
    return readJsonFile(join(this.directory, file));
  }

  write(file: NodeFile, content: unknown): Promise<void> {
    return writeFileAtomically(join(this.directory, file), JSON.stringify(content, undefined, 1));
  }

  /** Drops the local copies, so that the next start reads the topics from their beginning. */
  async forget(): Promise<void> {
    await Promise.all(Object.values(NodeFile).map((file) => rm(join(this.directory, file), { force: true })));
  }

  close(): Promise<void> {
    return this.lock.release();
  }
}

function incarnationOf(identity: unknown): string | undefined {
  if (typeof identity !== 'object' || identity === null || !('incarnation' in identity)) return undefined;
  return typeof identity.incarnation === 'string' ? identity.incarnation : undefined;
}
