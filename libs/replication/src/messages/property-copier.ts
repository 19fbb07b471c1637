import { isBarrierBody, MAX_PROPERTIES_BYTES, parseBase36, propertyText, SluiceProperty, WAS_PREFIX } from '@sluice/protocol';
import { addHop, formatHops, identityProblem, MAX_HOPS, parseHops } from './hop-list.js';
import { PROPERTY_RULES, TRANSIENT_PREFIX } from './property-rules.js';

/** A message of the source as a flow passes it on. */
export interface CopiedMessage {
  /** The property block for the target, without a stamp; `RawRecord.properties`. */
  readonly properties: Buffer;
  /** When the producer made the message: before all flows that it came through. In ms since the epoch. */
  readonly bornAt: number;
}

/**
 * Why a message is not passed on.
 *
 * Left out on purpose, and counted:
 * - `barrier`: a barrier of Sluice's source tasks; no record
 * - `loop`: it has been in the target already
 *
 * Errors of the record, for `errors.tolerance` to judge:
 * - `hops-unreadable`: its list of clusters is none that Sluice writes. It may have been in the target; to copy it could begin a loop without end.
 * - `hops-full`: it came through as many clusters as a list may have
 * - `too-long`: its properties no longer fit
 */
export type NotCopied =
  { readonly why: 'barrier' | 'loop' } | { readonly why: 'hops-unreadable' | 'hops-full' | 'too-long'; readonly problem: string };

export interface PropertyCopierOptions {
  /** Identity of the cluster that is read. */
  readonly source: string;
  /** Identity of the cluster that is written. */
  readonly target: string;
  /** `stamp`: the born time is kept in `sluice-born`; `native`: the send carries it. */
  readonly bornTime: 'native' | 'stamp';
  /** Limit of a copied block in bytes. Default: that of records, which leaves room for the stamp and for what brokers add. */
  readonly maxBytes?: number;
}

const NAME_END = '\u0001';
const VALUE_END = '\u0002';
const VALUE_END_CODE = 2;
const LONGEST_NAME = 63;

interface WatchedName {
  readonly name: string;
  readonly isRenamed: boolean;
}

/** The names that are not kept, by length and first character: most names of a block are not even compared. */
const WATCHED = new Array<readonly WatchedName[] | undefined>(128 * (LONGEST_NAME + 1)).fill(undefined);
for (const { name, treatment } of PROPERTY_RULES) {
  if (treatment === 'kept') continue;
  const place = name.charCodeAt(0) * (LONGEST_NAME + 1) + name.length;
  WATCHED[place] = [...(WATCHED[place] ?? []), { name, isRenamed: treatment === 'renamed' }];
}
const TRANSIENT: WatchedName = { name: TRANSIENT_PREFIX, isRenamed: false };

const BARRIER: NotCopied = { why: 'barrier' };
const LOOP: NotCopied = { why: 'loop' };

/** Copies property blocks from one cluster to another, one after the other. Works on bytes: what stays is neither decoded nor moved. */
export class PropertyCopier {
  readonly #source: string;
  readonly #target: string;
  readonly #isBornStamped: boolean;
  readonly #maxBytes: number;
  /** The list of the message before, which most messages share, and what its copy has. */
  #lastHops: string | undefined;
  #lastOutcome: string | NotCopied;
  #lastBornAt: number | undefined;
  #lastBorn = '';

  /** @throws TypeError for a text that cannot be an identity, and for a cluster that is copied to itself. */
  constructor({ source, target, bornTime, maxBytes = MAX_PROPERTIES_BYTES }: PropertyCopierOptions) {
    const problem = identityProblem(source) ?? identityProblem(target);
    if (problem !== undefined) throw new TypeError(problem);
    if (source === target) throw new TypeError(`Source and target are the same cluster, ${source}; allowed are two clusters`);
    this.#source = source;
    this.#target = target;
    this.#isBornStamped = bornTime === 'stamp';
    this.#maxBytes = maxBytes;
    this.#lastOutcome = this.#outcomeOf(undefined);
  }

  /**
   * Copies the block of one message, byte for byte and in its order, but for what `PROPERTY_RULES` renames or drops. Hops and born time follow.
   *
   * @param block as the broker stores it
   * @param body as it is stored; that of a barrier differs from others
   * @param bornAt of the stored message, in ms since the epoch
   */
  copy(block: Buffer, body: Uint8Array, bornAt: number): CopiedMessage | NotCopied {
    // One character is one byte, so text and its slices stand for the bytes; they are several times faster than these.
    const text = block.toString('latin1');
    let out = '';
    let keptFrom = 0;
    let hops: string | undefined;
    let born: number | undefined;
    let isStamped = false;
    let isMarked = false;
    for (let from = 0; from < text.length;) {
      const found = text.indexOf(VALUE_END, from);
      const end = found < 0 ? text.length : found;
      const split = text.indexOf(NAME_END, from);
      if (split < 0) break;
      // As brokers and clients read it: what has no name or no value is no property.
      const watched = split > from && split + 1 < end ? watchedName(text, from, split) : undefined;
      if (watched !== undefined) {
        if (keptFrom < from) out += text.slice(keptFrom, from);
        keptFrom = watched.isRenamed ? from : end + 1;
        if (watched.isRenamed) out += WAS_PREFIX;
        else if (watched.name === SluiceProperty.hops) hops = text.slice(split + 1, end);
        else if (watched.name === SluiceProperty.born) born = parseBase36(text, split + 1, end);
        else if (watched.name === SluiceProperty.stamp) isStamped = true;
        else if (watched.name === SluiceProperty.barrier) isMarked = true;
      }
      from = end + 1;
    }
    // As readers see it: a record that carries the mark of a barrier is a record still.
    if (isMarked && !isStamped && isBarrierBody(body)) return BARRIER;
    if (hops !== this.#lastHops) {
      this.#lastOutcome = this.#outcomeOf(hops);
      this.#lastHops = hops;
    }
    if (typeof this.#lastOutcome !== 'string') return this.#lastOutcome;
    if (keptFrom < text.length) {
      out += text.slice(keptFrom);
      if (text.charCodeAt(text.length - 1) !== VALUE_END_CODE) out += VALUE_END;
    }
    out += this.#lastOutcome;
    if (this.#isBornStamped) out += this.#bornText(born ?? bornAt);
    return out.length > this.#maxBytes
      ? tooLong(out.length, this.#maxBytes)
      : { properties: Buffer.from(out, 'latin1'), bornAt: born ?? bornAt };
  }

  /** Messages of a batch share their born time more often than not. */
  #bornText(bornAt: number): string {
    if (bornAt !== this.#lastBornAt) {
      this.#lastBorn = propertyText(SluiceProperty.born, bornAt.toString(36));
      this.#lastBornAt = bornAt;
    }
    return this.#lastBorn;
  }

  /** Returns the property that a copy gets for a list of hops, or why there is no copy. */
  #outcomeOf(value: string | undefined): string | NotCopied {
    const hops = value === undefined ? [] : parseHops(value);
    if (hops === undefined) {
      // Shortened, as nobody knows what wrote it.
      const given = JSON.stringify(value?.slice(0, 200));
      const allowed = `1 to ${MAX_HOPS} different identities of clusters with commas between them`;
      return { why: 'hops-unreadable', problem: `Property ${SluiceProperty.hops} is ${given}; allowed are ${allowed}` };
    }
    if (hops.includes(this.#target)) return LOOP;
    const longer = addHop(hops, this.#source);
    if (longer !== undefined) return propertyText(SluiceProperty.hops, formatHops(longer));
    return { why: 'hops-full', problem: `The message came through ${hops.length} clusters; allowed are ${MAX_HOPS}` };
  }
}

function watchedName(text: string, from: number, end: number): WatchedName | undefined {
  const first = text.charCodeAt(from);
  const length = end - from;
  if (first > 127) return undefined;
  const names = length > LONGEST_NAME ? undefined : WATCHED[first * (LONGEST_NAME + 1) + length];
  if (names !== undefined) {
    for (const watched of names) if (text.startsWith(watched.name, from)) return watched;
  }
  return length >= TRANSIENT_PREFIX.length && text.startsWith(TRANSIENT_PREFIX, from) ? TRANSIENT : undefined;
}

function tooLong(bytes: number, maxBytes: number): NotCopied {
  return { why: 'too-long', problem: `The properties of the copy take ${bytes} bytes; allowed are ${maxBytes}` };
}
