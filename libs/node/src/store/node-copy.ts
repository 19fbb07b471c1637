import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromFiles, type ClusterState } from '@sluice/core';
import { isOffsetFile, isPositionFile, type OffsetFile, type PositionFile } from './position-and-offset-files.js';
import { readJsonFile } from './read-json-file.js';
import { NodeFile } from './node-store.js';
import { NodeError } from '../errors/node-error.js';

/** What the four files of a node hold. */
export interface NodeCopy {
  readonly directory: string;
  /** When the log's part was written. */
  readonly writtenAt: Date;
  readonly state: ClusterState;
  readonly positions: PositionFile['queues'];
  readonly groups: OffsetFile['groups'];
}

/** Thrown when the files of a node cannot be used. */
export class NodeCopyError extends NodeError {
  constructor(message: string) {
    super('NODE_COPY_UNUSABLE', message);
  }
}

/**
 * Reads the four files of a node, which may run.
 *
 * @throws NodeCopyError when one is missing or damaged, or the two of the log are of different moments.
 */
export async function readNodeCopy(directory: string): Promise<NodeCopy> {
  const read = async (file: NodeFile): Promise<unknown> => {
    const content = await readJsonFile(join(directory, file));
    if (content === undefined) throw new NodeCopyError(`${join(directory, file)} does not exist or is not JSON`);
    return content;
  };
  const connectors = await read(NodeFile.connectorConfig);
  const tasks = await read(NodeFile.taskConfig);
  const positions = await read(NodeFile.position);
  const offsets = await read(NodeFile.offset);
  const state = fromFiles(connectors, tasks);
  if (state === undefined || state.head.seq < 0) {
    throw new NodeCopyError(
      `${NodeFile.connectorConfig} and ${NodeFile.taskConfig} in ${directory} do not belong together, hold nothing or are of another ` +
        'version: stop the node, or take the files of another one',
    );
  }
  const { mtime } = await stat(join(directory, NodeFile.connectorConfig));
  return {
    directory,
    writtenAt: mtime,
    state,
    positions: isPositionFile(positions) ? positions.queues : [],
    groups: isOffsetFile(offsets) ? offsets.groups : {},
  };
}
