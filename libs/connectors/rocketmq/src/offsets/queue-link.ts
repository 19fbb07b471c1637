import { CopyIndex, copyStream, type QueueBounds } from '@sluice/replication';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { FlowClusters } from '../flow/flow-clusters.js';
import { StampedEntries } from './stamped-entries.js';

/** Reads of one queue in one round; what is left is for the next one. */
const MAX_READS = 500;

export interface LinkOptions {
  readonly clusters: FlowClusters;
  readonly connectorName: string;
  /** The connector of the other direction. */
  readonly reverseConnector?: string | undefined;
}

/** Knows the copies of one source queue at the target, and where the other direction is given, those of the target queue at the source. */
export class QueueLink {
  readonly #copies = new CopyIndex();
  readonly #reverse: CopyIndex | undefined;

  constructor(
    readonly source: QueueRef,
    readonly target: QueueRef,
    private readonly options: LinkOptions,
  ) {
    this.#reverse = options.reverseConnector === undefined ? undefined : new CopyIndex();
  }

  get copies(): CopyIndex {
    return this.#copies;
  }

  /**
   * Returns the first target offset, from `targetOffset` on, that has no copy at the source before `sourceOffset`. Up to that one a group
   * has consumed there.
   */
  consumedElsewhere(sourceOffset: number, targetOffset: number): number {
    return this.#reverse?.firstNotCopied(targetOffset, sourceOffset) ?? targetOffset;
  }

  /** Reads what both queues have got since the last time. Returns false where there was too much for once. */
  async advance(bounds: { readonly source: QueueBounds; readonly target: QueueBounds }, signal: AbortSignal): Promise<boolean> {
    const { clusters, connectorName, reverseConnector } = this.options;
    const { source, target } = clusters;
    const stream = copyStream(connectorName, source.identity, this.source, this.target);
    const isComplete = await this.#copies.advance(new StampedEntries(target.client, this.target, stream, signal), bounds.target, MAX_READS);
    if (this.#reverse === undefined || reverseConnector === undefined) return isComplete;
    const back = copyStream(reverseConnector, target.identity, this.target, this.source);
    const entries = new StampedEntries(source.client, this.source, back, signal);
    return (await this.#reverse.advance(entries, bounds.source, MAX_READS)) && isComplete;
  }
}

/** Keeps the links of a flow's queues from round to round. */
export class QueueLinks {
  #links = new Map<string, QueueLink>();

  constructor(private readonly options: LinkOptions) {}

  /** Returns the links of these pairs, by source queue. Those of other pairs are forgotten. */
  of(pairs: ReadonlyMap<string, string>): ReadonlyMap<string, QueueLink> {
    const links = new Map<string, QueueLink>();
    for (const [key, value] of pairs) {
      const known = this.#links.get(key);
      const [source, target] = [queueOf(key), queueOf(value)];
      if (known !== undefined && queueKey(known.target) === value) links.set(key, known);
      else if (source !== undefined && target !== undefined) links.set(key, new QueueLink(source, target, this.options));
    }
    this.#links = links;
    return links;
  }
}

/** Reads what `queueKey` writes; undefined for anything else. */
function queueOf(key: string): QueueRef | undefined {
  const [at, colon] = [key.indexOf('@'), key.lastIndexOf(':')];
  const queueId = Number(key.slice(colon + 1));
  if (at <= 0 || colon <= at + 1 || colon === key.length - 1 || !Number.isSafeInteger(queueId) || queueId < 0) return undefined;
  return { topic: key.slice(0, at), brokerName: key.slice(at + 1, colon), queueId };
}
