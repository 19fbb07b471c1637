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
const RENAMED: ReadonlySet<string> = new Set(namesOf('renamed'));
const DROPPED: ReadonlySet<string> = new Set(namesOf('dropped'));
const LONGEST_NAME = 63;
/** Whether a name of some length that begins with some character can be one of those: most names are not even looked up. */
const MAY_MATTER = new Uint8Array(128 * (LONGEST_NAME + 1));
for (const name of [...RENAMED, ...DROPPED]) MAY_MATTER[name.charCodeAt(0) * (LONGEST_NAME + 1) + name.length] = 1;

const BARRIER: NotCopied = { why: 'barrier' };
const LOOP: NotCopied = { why: 'loop' };

function namesOf(treatment: string): readonly string[] {
  return PROPERTY_RULES.filter((rule) => rule.treatment === treatment).map(({ name }) => name);
}

/** Copies property blocks from one cluster to another, one after the other. Works on bytes: what stays is neither decoded nor moved. */
export class PropertyCopier {
  readonly #source: string;
  readonly #target: string;
  readonly #isBornStamped: boolean;
  readonly #maxBytes: number;
  /** The list of the message before, which most messages share, and what its copy has. */
  #lastHops: string | undefined;
  #lastOutcome: string | NotCopied;

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
      if (split > from && split + 1 < end && mayMatter(text, from, split)) {
        const name = text.slice(from, split);
        if (RENAMED.has(name)) {
          out += text.slice(keptFrom, from) + WAS_PREFIX;
          keptFrom = from;
        } else if (DROPPED.has(name) || name.startsWith(TRANSIENT_PREFIX)) {
          out += text.slice(keptFrom, from);
          keptFrom = end + 1;
          if (name === SluiceProperty.hops) hops = text.slice(split + 1, end);
          else if (name === SluiceProperty.born) born = parseBase36(text, split + 1, end);
          else if (name === SluiceProperty.stamp) isStamped = true;
          else if (name === SluiceProperty.barrier) isMarked = true;
        }
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
    if (keptFrom < text.length) out += text.slice(keptFrom);
    if (out.length > 0 && !out.endsWith(VALUE_END)) out += VALUE_END;
    out += this.#lastOutcome;
    if (this.#isBornStamped) out += propertyText(SluiceProperty.born, (born ?? bornAt).toString(36));
    return out.length > this.#maxBytes
      ? tooLong(out.length, this.#maxBytes)
      : { properties: Buffer.from(out, 'latin1'), bornAt: born ?? bornAt };
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

function mayMatter(text: string, from: number, end: number): boolean {
  const first = text.charCodeAt(from);
  const length = end - from;
  if (first > 127) return false;
  if (length <= LONGEST_NAME && MAY_MATTER[first * (LONGEST_NAME + 1) + length] === 1) return true;
  return text.startsWith(TRANSIENT_PREFIX, from);
}

function tooLong(bytes: number, maxBytes: number): NotCopied {
  return { why: 'too-long', problem: `The properties of the copy take ${bytes} bytes; allowed are ${maxBytes}` };
}
