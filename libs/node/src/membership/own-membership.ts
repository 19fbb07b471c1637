import { type ClusterState, type LogEvent, MAX_LEVEL, reportIntervalMs } from '@sluice/core';
import { NodeIdInUseError } from '../store/node-store.js';
import type { HeardReport, ReportsChannel } from './reports-channel.js';
import { NodeError } from '../errors/node-error.js';

export interface OwnIdentity {
  readonly nodeId: string;
  readonly incarnation: string;
  /** The incarnation before this one, certainly dead; undefined at the first start. */
  readonly supersedes: string | undefined;
}

/** Thrown when the cluster has given a node up while it lived, as after a long pause. */
export class NodeExpelledError extends NodeError {
  constructor(nodeId: string) {
    super(
      'NODE_EXPELLED',
      `The leader gave node ${nodeId} up, because the node was silent for too long. Its tasks may run elsewhere now: restart the node`,
    );
  }
}

/** Within so many intervals a node that lives reports at least twice. */
const LISTEN_INTERVALS = 2.5;

/** The incarnation of a member with this node's id that is not known to be dead. */
export function otherIncarnation({ members }: ClusterState, self: OwnIdentity): string | undefined {
  const incarnation = members.get(self.nodeId)?.incarnation;
  return incarnation === self.incarnation || incarnation === self.supersedes ? undefined : incarnation;
}

/** Why a node has to end after an entry of the log; undefined if it may continue. */
export function expulsionBy(event: LogEvent, { nodeId, incarnation }: OwnIdentity): Error | undefined {
  if (event.kind !== 'member.left' && event.kind !== 'member.rejected') return undefined;
  if (event.nodeId !== nodeId || event.incarnation !== incarnation) return undefined;
  if (event.kind === 'member.rejected') return new NodeIdInUseError(nodeId, event.reason);
  return event.reason === 'leaving' ? undefined : new NodeExpelledError(nodeId);
}

/**
 * Listens for reports of another node with the same id, where the log knows one that might live. Two that start at the same moment do
 * not see each other here: the leader rejects the second one.
 *
 * @throws NodeIdInUseError when it is heard.
 */
export async function refuseIfInUse(
  state: ClusterState,
  self: OwnIdentity,
  reports: Pick<ReportsChannel, 'follow'>,
  signal: AbortSignal,
): Promise<void> {
  const other = otherIncarnation(state, self);
  if (other === undefined) return;
  const heard = new AbortController();
  const silent = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const isOfOther = (message: HeardReport): boolean => {
    if (message.kind === 'probe') return false;
    // A node whose last whole report is not found lives all the same.
    const { nodeId, incarnation } = message.kind === 'report' ? message.report : message;
    return nodeId === self.nodeId && incarnation === other;
  };
  const listener = (messages: readonly HeardReport[]): void => {
    if (messages.some(isOfOther)) heard.abort();
  };
  // Reading up to there can take long; nothing of it shows that somebody lives.
  const onListening = (): void => {
    timer = setTimeout(
      () => {
        silent.abort();
      },
      // The copy of the log may be behind: the cluster may have reached a higher level.
      LISTEN_INTERVALS * reportIntervalMs(state.members.size, MAX_LEVEL),
    );
  };
  try {
    await reports.follow(listener, AbortSignal.any([signal, heard.signal, silent.signal]), onListening);
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
  if (heard.signal.aborted) {
    throw new NodeIdInUseError(self.nodeId, `a node with that id reports from elsewhere (incarnation ${other})`);
  }
}
