import type { ClusterState } from '../model/cluster-state.js';
import type { LogEntry, LogEvent, ReadEntry } from '../model/entry.js';
import { emptyState, foldEntries } from '../log/fold.js';

/** Writes chains of valid entries for specs, as a leader would. The digest is any text that names the entry uniquely. */
export class LogWriter {
  state: ClusterState = emptyState();
  readonly reads: ReadEntry[] = [];
  at = 1_000_000_000;

  /** Genesis and a claim of `leader`. */
  static started(leader = 'c1'): LogWriter {
    const log = new LogWriter();
    log.write({ kind: 'genesis', broker: 'broker-a' });
    log.claim(leader);
    return log;
  }

  claim(nodeId: string, incarnation = `${nodeId}#1`): void {
    const { head, epoch } = this.state;
    const event: LogEvent = {
      kind: 'claimed',
      nodeId,
      incarnation,
      after: { seq: head.seq, digest: head.digest },
    };
    this.#add(event, { epoch: epoch + 1, claimId: `claim-${epoch + 1}` });
  }

  /** Writes events and returns the seq of the last. */
  write(...events: LogEvent[]): number {
    for (const event of events) this.#add(event, this.state);
    return this.state.head.seq;
  }

  #add(event: LogEvent, claim: Pick<LogEntry, 'epoch' | 'claimId'>): void {
    const read = this.next(event, claim);
    this.reads.push(read);
    const result = foldEntries(this.state, [read]);
    if (result.skipped.length > 0) throw new Error(`entry ${event.kind} was skipped`);
    this.state = result.state;
  }

  /** Takes in entries that somebody else made. */
  accept(reads: readonly ReadEntry[]): void {
    this.reads.push(...reads);
    this.state = foldEntries(this.state, reads).state;
  }

  /** The entry that would be accepted next; nothing is written. */
  next(event: LogEvent, claim: Pick<LogEntry, 'epoch' | 'claimId'> = this.state): ReadEntry {
    const { head } = this.state;
    const seq = head.seq + 1;
    const { epoch, claimId } = claim;
    const entry: LogEntry = { logId: 'log-1', epoch, claimId, seq, prevDigest: head.digest, at: this.at, event };
    return { offset: head.offset + 1, digest: `d${seq}-${claimId}`, entry };
  }

  join(nodeId: string, role: 'source-runner' | 'sink-runner' = 'source-runner', incarnation = `${nodeId}#1`): number {
    return this.write({
      kind: 'member.joined',
      member: { nodeId, incarnation, role, capacity: 1, plugins: ['FileSource'] },
    });
  }

  connector(name: string, tasks: number, targetState: 'RUNNING' | 'PAUSED' | 'STOPPED' = 'RUNNING'): number {
    const config = { 'connector.class': 'FileSource', 'tasks.max': String(tasks) };
    const version = this.write({ kind: 'connector.put', name, type: 'source', config, targetState });
    this.split(name, tasks);
    return version;
  }

  split(name: string, tasks: number, extra: Readonly<Record<string, string>> = {}): number {
    const connector = this.state.connectors.get(name);
    if (connector === undefined) throw new Error(`no connector ${name}`);
    const configs = Array.from({ length: tasks }, (_, i) => ({ ...connector.config, file: `f${i}`, ...extra }));
    return this.write({ kind: 'tasks.configured', name, configVersion: connector.configVersion, tasks: configs });
  }

  assign(connector: string, index: number, nodeId: string, incarnation = `${nodeId}#1`): number {
    return this.write({ kind: 'tasks.assigned', tasks: [{ connector, index, nodeId, incarnation }] });
  }
}
