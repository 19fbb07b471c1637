import type { ConnectErrorOptions } from '@sluice/sdk';

/** Every reason that an error of this package can have. Closed: a new reason is added here first. */
export type NodeErrorCode =
  | 'ADDRESS_INVALID'
  | 'CLUSTER_NOT_INITIALISED'
  | 'COMMAND_UNANSWERED'
  | 'COMMANDS_CUT'
  | 'FOLLOWING_ENDED'
  | 'HTTP_PORT_UNAVAILABLE'
  | 'INIT_REFUSED'
  | 'LEASE_LOST'
  | 'LOG_BEHIND'
  | 'LOG_OTHER'
  | 'LOG_REWRITTEN'
  | 'LOG_UNCLEAR'
  | 'NODE_COPY_UNUSABLE'
  | 'NODE_DIRECTORY_OPEN'
  | 'NODE_EXPELLED'
  | 'NODE_ID_IN_USE'
  | 'QUEUE_UNAVAILABLE'
  | 'RESTORE_REFUSED'
  | 'SETTINGS_INVALID';

/** Root of the errors of this package. Their messages tell an operator what is wrong and what to do. */
export class NodeError extends Error {
  /** Whether the same call may succeed later without anybody changing it. */
  readonly retriable: boolean;

  constructor(
    readonly code: NodeErrorCode,
    message: string,
    { retriable = false, cause }: ConnectErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.retriable = retriable;
  }
}

/** Returns the command that rebuilds the topics of a Connect cluster, for a shell. Absent: names where the files of a node are. */
export function restoreCommand(clusterId: string, directory?: string): string {
  const from = directory === undefined ? '<store path>/<node id>' : shellWord(directory);
  return `sluice restore --cluster ${clusterId} --from ${from}`;
}

/** Quotes a text that a shell would not take for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Returns what an operator reads of an error that ends the process. Every package has one root of errors with `code` and `retriable`: their
 * messages say what to do. Of any other error, which nobody foresaw, the stack is needed.
 */
export function describeFailure(error: Error): string {
  const { code, retriable } = error as { readonly code?: unknown; readonly retriable?: unknown };
  const isForeseen = typeof code === 'string' && typeof retriable === 'boolean';
  return isForeseen ? error.message : (error.stack ?? error.message);
}
