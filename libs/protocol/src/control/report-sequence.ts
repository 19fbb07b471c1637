/** A node leaves at least so much time between two reports, in milliseconds. */
export const SHORTEST_REPORT_PAUSE_MS = 50;

/** Above any number that a node reaches. */
const HIGHEST_NUMBER = 2 ** 40;
/** Reports beyond what the broker's clock allows: that clock may be set back, by ten minutes of a quiet node. */
const SPARE_REPORTS = 600;
/** So many reports, over so much time, show that a node numbers its reports in another way than was believed. */
const CONTRADICTING_REPORTS = 3;
const CONTRADICTING_MS = 1_500;

/**
 * What the number of a report says:
 * `next`: it continues what is known. `late`: it came twice, or after a newer one. `foreign`: no node can have reported so often, so that somebody
 * else wrote it. `restart`: the numbers that were believed are the foreign ones.
 */
export type SequenceVerdict = 'next' | 'late' | 'foreign' | 'restart';

interface Heard {
  readonly seq: number;
  readonly atMs: number;
}

/**
 * Judges the numbers of one incarnation's reports in one queue. Anybody who may write there can name an incarnation, so a number alone is
 * no proof. A single high one must not hide the reports of a living node.
 */
export class ReportSequence {
  /** The last number that was believed, and when it came. No object holds both: each report of each node is judged. */
  #lastSeq = -1;
  #lastAtMs = -Infinity;
  /** The newest report of those that contradict the last one, and how many they are. */
  #rival: (Heard & { readonly count: number; readonly sinceMs: number }) | undefined;
  #shift = 0;
  #highest = -1;

  judge(seq: number, storedAtMs: number): SequenceVerdict {
    if (seq < 0 || seq > HIGHEST_NUMBER) return 'foreign';
    const lastSeq = this.#lastSeq;
    if (lastSeq < 0 || canFollow(lastSeq, this.#lastAtMs, seq, storedAtMs)) {
      this.#believe(seq, storedAtMs);
      return 'next';
    }
    if (seq === lastSeq) return 'next';
    if (this.#contradicts({ seq, atMs: storedAtMs })) {
      this.#shift = this.#highest + 1 - seq;
      this.#believe(seq, storedAtMs);
      return 'restart';
    }
    return seq < lastSeq ? 'late' : 'foreign';
  }

  /** The number that readers get: it grows also where the sender's numbers turned out to be foreign. */
  numberOf(seq: number): number {
    const number = seq + this.#shift;
    this.#highest = Math.max(this.#highest, number);
    return number;
  }

  #believe(seq: number, atMs: number): void {
    this.#lastSeq = seq;
    this.#lastAtMs = atMs;
    this.#rival = undefined;
  }

  #contradicts(now: Heard): boolean {
    const rival = this.#rival;
    if (rival?.seq === now.seq) return false;
    const continues = rival !== undefined && canFollow(rival.seq, rival.atMs, now.seq, now.atMs);
    this.#rival = continues ? { ...now, count: rival.count + 1, sinceMs: rival.sinceMs } : { ...now, count: 1, sinceMs: now.atMs };
    return this.#rival.count >= CONTRADICTING_REPORTS && now.atMs - this.#rival.sinceMs >= CONTRADICTING_MS;
  }
}

function canFollow(beforeSeq: number, beforeMs: number, seq: number, atMs: number): boolean {
  const reports = SPARE_REPORTS + Math.max(0, atMs - beforeMs) / SHORTEST_REPORT_PAUSE_MS;
  return seq > beforeSeq && seq - beforeSeq <= reports;
}
