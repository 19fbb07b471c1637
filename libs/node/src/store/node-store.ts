import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { acquireExclusiveLock, LockHeldError, writeFileDurably, type ExclusiveLock } from '@sluice/sdk/files';
import { inSlices } from './in-slices.js';
import { NodeError } from '../errors/node-error.js';
import { readJsonFile } from './read-json-file.js';

/** The four files of a node: the local copy of what was folded from the topics. */
export const NodeFile = {
  connectorConfig: 'connectorConfig.json',
  taskConfig: 'taskConfig.json',
  position: 'position.json',
  offset: 'offset.json',
} as const;
export type NodeFile = (typeof NodeFile)[keyof typeof NodeFile];

const IDENTITY_FILE = 'node.json';
/** Name of a directory of copies that were put aside, before the time. */
const ASIDE_PREFIX = 'replaced-';
const MAX_ASIDE = 5;
/** Settings of connectors are in the files, in clear text. */
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;
/** What follows the role in ids that were made here. */
const MADE_SUFFIX = /^[0-9a-f]{8}$/;

/** Thrown when a node has the id of one that lives: it must not start. */
export class NodeIdInUseError extends NodeError {
  /** @param why who uses it, as a sentence. */
  constructor(
    readonly nodeId: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(
      'NODE_ID_IN_USE',
      `Node id ${nodeId} is in use: ${why.replace(/\.$/, '')}. Give this node an id of its own with SLUICE_NODE_ID, or stop the other one`,
      options,
    );
  }
}

/** The log that a node has worked with. */
export interface LogIdentity {
  readonly clusterId: string;
  readonly logId: string;
  /** The broker that holds it. */
  readonly broker: string;
}

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
    private known: LogIdentity | undefined,
    private readonly lock: ExclusiveLock,
  ) {}

  /**
   * Opens a node's directory, and takes from all other users the right to read what is in it.
   *
   * @throws NodeIdInUseError naming the holder when another process has the directory.
   * @throws NodeError with code `NODE_DIRECTORY_OPEN` when the directory or a file in it belongs to another user.
   */
  static async open(rootDirectory: string, nodeId: string): Promise<NodeStore> {
    const directory = join(rootDirectory, nodeId);
    await mkdir(directory, { recursive: true });
    const lock = await lockOf(directory, nodeId);
    try {
      await closeToOthers(directory);
      const before = identityIn(await readJsonFile(join(directory, IDENTITY_FILE)));
      const store = new NodeStore(directory, nodeId, randomUUID(), before.incarnation, before.log, lock);
      await store.#writeIdentity();
      return store;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Opens the directory of a node without an id: the first one of its role that no living process holds, or a new one. So an id
   * outlives restarts, and nodes that share a root each have their own.
   */
  static async openUnnamed(rootDirectory: string, role: string): Promise<NodeStore> {
    await mkdir(rootDirectory, { recursive: true });
    for (const name of (await readdir(rootDirectory)).sort()) {
      if (!name.startsWith(`${role}-`) || !MADE_SUFFIX.test(name.slice(role.length + 1))) continue;
      try {
        return await NodeStore.open(rootDirectory, name);
      } catch (error) {
        if (!(error instanceof NodeIdInUseError)) throw error;
      }
    }
    return NodeStore.open(rootDirectory, `${role}-${randomUUID().slice(0, 8)}`);
  }

  /** The log that this node has read; undefined at its first start. */
  get log(): LogIdentity | undefined {
    return this.known;
  }

  /** Keeps which log the node has read: it resumes with no other one. */
  async rememberLog(log: LogIdentity): Promise<void> {
    if (isDeepStrictEqual(this.known, log)) return;
    this.known = log;
    await this.#writeIdentity();
  }

  read(file: NodeFile): Promise<unknown> {
    return readJsonFile(join(this.directory, file));
  }

  /** @param content parts of JSON text, which are asked for between turns of the event loop, or what they were made into. */
  write(file: NodeFile, content: Iterable<string> | readonly Buffer[]): Promise<void> {
    const slices = Array.isArray(content) ? (content as readonly Buffer[]) : inSlices(content as Iterable<string>);
    return writeFileDurably(join(this.directory, file), slices, OWNER_ONLY);
  }

  /**
   * Puts the local copies aside, so that the next start reads the topics from their beginning. They are not deleted: where the topics were
   * wiped, they may be all that is left.
   *
   * @returns the directory in which they are now; undefined if there was none.
   */
  async putAside(): Promise<string | undefined> {
    const found = new Set(await readdir(this.directory));
    const files = Object.values(NodeFile).filter((file) => found.has(file));
    if (files.length === 0) return undefined;
    const aside = join(this.directory, `${ASIDE_PREFIX}${new Date().toISOString().replaceAll(':', '')}`);
    await mkdir(aside, { recursive: true });
    for (const file of files) await rename(join(this.directory, file), join(aside, file));
    const older = [...found].filter((name) => name.startsWith(ASIDE_PREFIX)).sort();
    const surplus = older.slice(0, Math.max(0, older.length + 1 - MAX_ASIDE));
    for (const name of surplus) await rm(join(this.directory, name), { recursive: true });
    return aside;
  }

  close(): Promise<void> {
    return this.lock.release();
  }

  #writeIdentity(): Promise<void> {
    const { nodeId, incarnation, known: log } = this;
    return writeFileDurably(join(this.directory, IDENTITY_FILE), JSON.stringify({ nodeId, incarnation, log }), OWNER_ONLY);
  }
}

/** The directory of a node that has worked with a log of the cluster; undefined where there is none. */
export async function nodeThatKnows(clusterId: string, rootDirectory: string): Promise<string | undefined> {
  for (const name of (await directoriesIn(rootDirectory)).sort()) {
    const directory = join(rootDirectory, name);
    const { log } = identityIn(await readJsonFile(join(directory, IDENTITY_FILE)));
    if (log?.clusterId === clusterId) return directory;
  }
  return undefined;
}

/** Takes the rights of group and others from a directory, its files and its directories of files. */
async function closeToOthers(directory: string): Promise<void> {
  try {
    await chmod(directory, OWNER_ONLY_DIRECTORY);
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) await closeToOthers(path);
      else if (entry.isFile()) await chmod(path, OWNER_ONLY);
    }
  } catch (error) {
    const text = `${directory} holds secrets and stays readable for others: ${(error as Error).message}. Give it to the node's user`;
    throw new NodeError('NODE_DIRECTORY_OPEN', text, { cause: error });
  }
}

async function directoriesIn(directory: string): Promise<string[]> {
  try {
    const found = await readdir(directory, { withFileTypes: true });
    return found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function lockOf(directory: string, nodeId: string): Promise<ExclusiveLock> {
  try {
    return await acquireExclusiveLock(join(directory, 'lock'));
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    throw new NodeIdInUseError(nodeId, error.message, { cause: error });
  }
}

interface Identity {
  readonly incarnation?: string;
  readonly log?: LogIdentity;
}

function identityIn(content: unknown): Identity {
  const { incarnation, log } = fieldsOf(content);
  const { logId, clusterId, broker } = fieldsOf(log);
  const isKnown = typeof logId === 'string' && typeof clusterId === 'string' && typeof broker === 'string';
  return {
    ...(typeof incarnation === 'string' ? { incarnation } : {}),
    ...(isKnown ? { log: { logId, clusterId, broker } } : {}),
  };
}

function fieldsOf(content: unknown): Readonly<Record<string, unknown>> {
  return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {};
}
