import type { Figure } from './figure.js';

/** A message of a site, as a Java consumer sees it. */
export interface SiteMessage {
  readonly queue: string;
  /** The site at which its producer sent it, and its number there. */
  readonly site: string;
  readonly number: number;
  /** It came through a flow. */
  readonly isCopy: boolean;
  /** Of all that a copy has to keep. */
  readonly checksum: string;
}

export interface FlowVerdict {
  readonly sent: number;
  readonly missing: number;
  /** Copies of what was copied before. */
  readonly twice: number;
  readonly outOfOrder: number;
  readonly altered: number;
  /** Messages that no source has. */
  readonly unknown: number;
  readonly details: readonly string[];
}

/** What was found of one message: where it stands at its source, and of what content it is there. */
interface Place {
  readonly queue: string;
  readonly index: number;
  readonly checksum: string | undefined;
}

/** A message in another queue's order: only its name and its content count. */
type Copy = Pick<SiteMessage, 'queue' | 'number'> & { readonly checksum?: string };

const MAX_DETAILS = 20;

/**
 * Compares the messages that users sent at a site with their copies elsewhere, both in the order of their queues. The first copy of a message
 * counts: it must come after the copies of all that stand before it in its queue. Each queue of copies has one queue as its source.
 *
 * @param ofOneQueue whether all copies of a queue must come from one queue of the source; the lines of a file need not
 */
export function judgeFlow(sent: readonly SiteMessage[], copies: readonly Copy[], ofOneQueue = true): FlowVerdict {
  const places = placesOf(sent);
  const seen = new Set<number>();
  const last = new Map<string, number>();
  const sources = new Map<string, string>();
  const details: string[] = [];
  const found = { twice: 0, outOfOrder: 0, altered: 0, unknown: 0 };
  const note = (kind: keyof typeof found, { queue, number }: Copy, more = ''): void => {
    found[kind] += 1;
    details.push(`${kind}: ${number} in ${queue}${more}`);
  };
  for (const copy of copies) {
    const place = places.get(copy.number);
    if (place === undefined) {
      note('unknown', copy);
      continue;
    }
    if (copy.checksum !== undefined && copy.checksum !== place.checksum) note('altered', copy);
    if (seen.has(copy.number)) {
      note('twice', copy);
      continue;
    }
    seen.add(copy.number);
    const source = sources.get(copy.queue) ?? place.queue;
    sources.set(copy.queue, source);
    const before = last.get(place.queue) ?? -1;
    if (place.index < before) note('outOfOrder', copy, `, which is ${place.queue} at ${place.index}, after ${before}`);
    else if (ofOneQueue && source !== place.queue) note('outOfOrder', copy, `, of ${place.queue} among copies of ${source}`);
    last.set(place.queue, Math.max(before, place.index));
  }
  const missing = [...places].filter(([number]) => !seen.has(number));
  details.push(...missing.map(([number, { queue, index }]) => `missing: ${number}, which is ${queue} at ${index}`));
  return { sent: places.size, missing: missing.length, ...found, details: details.slice(0, MAX_DETAILS) };
}

/** @throws Error where the producers' numbers are not unique: then nothing can be compared */
function placesOf(sent: readonly SiteMessage[]): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>();
  const ends = new Map<string, number>();
  for (const { queue, number, checksum } of sent) {
    if (places.has(number)) throw new Error(`number ${number} was sent twice: at ${queue} and at ${places.get(number)?.queue ?? ''}`);
    const index = ends.get(queue) ?? 0;
    ends.set(queue, index + 1);
    places.set(number, { queue, index, checksum });
  }
  return places;
}

/** All that may not be, with a limit of none. `twice` has one only where the reader is to leave out what comes twice. */
export function flowFigures(flow: string, verdict: FlowVerdict, mayComeTwice: boolean): readonly Figure[] {
  const { sent, missing, twice, outOfOrder, altered, unknown, details } = verdict;
  const figure = (what: string, value: number, limit?: number): Figure => {
    return { name: `${flow}: ${what}`, unit: 'count', value, ...(limit === undefined ? {} : { limit }), details };
  };
  return [
    { name: `${flow}: messages`, unit: 'count', value: sent, details: [] },
    figure('missing', missing, 0),
    figure('out of order', outOfOrder, 0),
    figure('altered', altered, 0),
    figure('never sent', unknown, 0),
    figure('seen twice', twice, mayComeTwice ? undefined : 0),
  ];
}
