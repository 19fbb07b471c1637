import { jsonParts } from '../log/json-parts.js';
import { fromFiles, toConnectorFile, toTaskFile } from '../log/state-files.js';
import type { ClusterState } from '../model/cluster-state.js';

/** Writes a state as the files of a node and reads it back. `change` replaces fields of the connector file. */
export function readFiles(state: ClusterState, change: object = {}): ClusterState | undefined {
  const parsed = (content: object): object => JSON.parse([...jsonParts(content)].join('')) as object;
  return fromFiles({ ...parsed(toConnectorFile(state)), ...change }, parsed(toTaskFile(state)));
}
