import { ClusterDraft } from '../log/cluster-draft.js';
import { utf8Bound } from '../log/json-parts.js';
import type { ClusterState } from '../model/cluster-state.js';
import { eventsIn, type LogEvent } from '../model/entry.js';
import { levelOf } from '../model/feature-level.js';

/** Head, digest and property overhead of one entry. */
const ENTRY_OVERHEAD_BYTES = 512;

/** Events of one append, applied as they are added: later decisions of the batch see what earlier ones did. */
export class EventBatch {
  readonly events: LogEvent[] = [];
  readonly draft: ClusterDraft;
  /** A group was rejected: what is left is decided after this append. */
  #isFull = false;
  readonly #cluster: ClusterState;
  readonly #at: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(cluster: ClusterState, at: number, maxBytes: number) {
    this.draft = new ClusterDraft(cluster);
    this.#cluster = cluster;
    this.#at = at;
    this.#maxBytes = maxBytes;
  }

  /** Whether all members can read events of these kinds. */
  isKnownToAll(...group: readonly LogEvent[]): boolean {
    const { level } = this.draft.header;
    const isKnown = ({ kind }: LogEvent): boolean => (levelOf(kind) ?? Infinity) <= level;
    return group.every((event) => isKnown(event) && eventsIn(event).every(isKnown));
  }

  /** Adds all of a group or nothing: what not all members can read is never written. */
  add(...group: readonly LogEvent[]): boolean {
    if (this.#isFull || !this.isKnownToAll(...group)) return false;
    const bytes = estimateBytes(group);
    if (this.#bytes + bytes > this.#maxBytes && this.events.length > 0) {
      this.#isFull = true;
      return false;
    }
    this.#bytes += bytes;
    for (const event of group) this.#push(event);
    return true;
  }

  /** Adds an event of a size that the caller limits, whatever is in the batch already. */
  addBeyondLimit(event: LogEvent): void {
    if (this.isKnownToAll(event)) this.#push(event);
  }

  /** Whether a group could ever be appended. */
  fits(...group: readonly LogEvent[]): boolean {
    return estimateBytes(group) <= this.#maxBytes;
  }

  #push(event: LogEvent): void {
    const { logId, epoch, claimId, head } = this.#cluster;
    const at = this.events.length + 1;
    this.events.push(event);
    const stamp = { logId, epoch, claimId, seq: head.seq + at, offset: head.offset + at, at: this.#at };
    this.draft.apply(event, stamp);
  }
}

/** An upper bound: characters beyond ASCII take at most three bytes of UTF-8 per UTF-16 unit. */
function estimateBytes(events: readonly LogEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += ENTRY_OVERHEAD_BYTES + utf8Bound(JSON.stringify(event));
  return bytes;
}
