import { leaseAfterEntry, leaseAfterHeadReached, leaseAfterLogLost } from '../lease/node-lease.js';
import { foldEntries, type FoldResult } from '../log/fold.js';
import { CATCH_UP_ENTRIES } from '../log/start-plan.js';
import { tailVerdict, type Tail } from '../log/tail-check.js';
import type { ReadEntry } from '../model/entry.js';
import { chainAfter, SILENCE_MS } from './chain-gap.js';
import { elapsedAfter, elapsedMs, type ClockReading } from '../lease/elapsed-time.js';
import type { LogMessage, NodeEnd, NodeLoop, SentTime, TailAnswer, TailQuestion, UnreadableMessage } from './node-loop.js';

export type NodeInput = ClockReading & NodeInputBody;

export type NodeInputBody =
  /**
   * The reader delivers messages that follow the last ones. They wait for their check: ask at once, and deliver nothing more until
   * `NodeLoop.pulled` is undefined.
   */
  | { readonly kind: 'pulled'; readonly messages: readonly LogMessage[] }
  | { readonly kind: 'answered'; readonly question: TailQuestion; readonly answer: TailAnswer }
  /** The log cannot be read on. */
  | { readonly kind: 'reader.ended'; readonly end: NodeEnd };

export type NodeEffect =
  /** Messages were folded, decodable ones and others; `nextOffset` follows the last of them. */
  | ({ readonly kind: 'folded'; readonly nextOffset: number } & FoldResult)
  | { readonly kind: 'unreadable'; readonly message: UnreadableMessage }
  /** The node knew all of the log as of `sentAt`. */
  | { readonly kind: 'head-proven'; readonly sentAt: number }
  /** Pull again from `NodeLoop.nextOffset`, and drop what the reader still has. */
  | { readonly kind: 'reopen-reader'; readonly reason: string }
  /** Nothing follows: the process has to start again. */
  | { readonly kind: 'end'; readonly end: NodeEnd };

export interface NodeStep {
  readonly state: NodeLoop;
  /** To be carried out in this order. */
  readonly effects: readonly NodeEffect[];
}

/** A reader that has not delivered what is there within this time is opened again; each time without success doubles it. */
const DELIVERY_PATIENCE_MS = 1_000;
const MAX_DELIVERY_PATIENCE_MS = 16_000;

/** Far more than one append and what comes late within two leases; a reader that catches up delivers as many at once. */
const MAX_HELD = 2 * CATCH_UP_ENTRIES;

/** A step under way: the next state as it grows, and what is to be done. */
interface Turn {
  next: NodeLoop;
  readonly now: number;
  readonly effects: NodeEffect[];
}

/** The question that a node has to ask when it wants to prove that it knows the log, and after each pull. */
export function tailQuestion({ tail, pulled, nextOffset, time }: NodeLoop, reading: ClockReading): TailQuestion {
  const last = pulled?.at(-1);
  const about = [tail, last].filter((each) => each !== undefined).map(({ offset, digest }) => ({ offset, digest }));
  return { sentAt: reading.now, sentElapsedMs: elapsedMs(elapsedAfter(time, reading)), about, nextOffset };
}

/**
 * Steps the loop that every node runs: it folds what it reads and extends the node's lease. It folds messages once a
 * question that was sent after the pull finds the last pulled and the last folded one in the log. Questions extend the
 * lease once their answers show that the loop has folded everything.
 */
export function stepNode(state: NodeLoop, input: NodeInput): NodeStep {
  if (state.ended !== undefined) return { state, effects: [] };
  const next = { ...state, time: elapsedAfter(state.time, input) };
  const turn: Turn = { next, now: input.now, effects: [] };
  if (input.kind === 'pulled') takePulled(turn, input.messages);
  else if (input.kind === 'answered') takeAnswer(turn, input.question, input.answer);
  else end(turn, input.end);
  return { state: turn.next, effects: turn.effects };
}

function takePulled(turn: Turn, messages: readonly LogMessage[]): void {
  const { next } = turn;
  if (messages.length === 0) return;
  if (next.pulled !== undefined) throw new Error('messages were delivered before those that came first were checked');
  turn.next = { ...next, pulled: messages, undelivered: undefined };
}

function takeAnswer(turn: Turn, question: TailQuestion, { found, bounds }: TailAnswer): void {
  const last = turn.next.pulled?.at(-1);
  let isCertain = true;
  for (const [i, about] of question.about.entries()) {
    const verdict = tailVerdict(about, found[i], bounds);
    if (verdict === 'same') continue;
    if (verdict === 'unknown') isCertain = false;
    else if (isSame(about, last)) {
      turn.next = { ...turn.next, pulled: undefined };
      turn.effects.push({ kind: 'reopen-reader', reason: verdict.broken });
      return;
    } else {
      end(turn, { kind: 'rewritten', reason: verdict.broken });
      return;
    }
  }
  if (!isCertain) return;
  turn.next = { ...turn.next, minOffset: bounds.minOffset, endOffset: bounds.maxOffset };
  const covered = question.about.at(-1);
  if (isSame(covered, last)) foldPulled(turn);
  if (turn.next.ended !== undefined) return;
  if (isSame(covered, turn.next.tail)) prove(turn, sentBy(turn, question), bounds.maxOffset);
  watchDelivery(turn, bounds.maxOffset);
}

/** A held pull can be forgotten on its way, and nobody says so: proofs alone would wait for what never comes. */
function watchDelivery(turn: Turn, endOffset: number): void {
  const { next, now } = turn;
  const { undelivered, nextOffset, pulled, ended } = next;
  if (ended !== undefined) return;
  if (pulled !== undefined || endOffset <= nextOffset) {
    turn.next = { ...next, undelivered: undefined };
  } else if (undelivered === undefined) {
    turn.next = { ...next, undelivered: { since: now, patienceMs: DELIVERY_PATIENCE_MS } };
  } else if (now - undelivered.since >= undelivered.patienceMs) {
    const patienceMs = Math.min(2 * undelivered.patienceMs, MAX_DELIVERY_PATIENCE_MS);
    turn.next = { ...next, undelivered: { since: now, patienceMs } };
    const reason = `entries from offset ${nextOffset} on are in the log and were not delivered`;
    turn.effects.push({ kind: 'reopen-reader', reason });
  }
}

/** What may be void for others waits until an entry of another append shows that it is not, or until nobody has written anything else. */
function foldPulled(turn: Turn): void {
  const { held, pulled = [] } = turn.next;
  const last = pulled.at(-1);
  if (last === undefined) return;
  foldMessages(turn, [...held, ...pulled], false);
  if (turn.next.ended !== undefined) return;
  const tail = { offset: last.offset, digest: last.digest };
  turn.next = { ...turn.next, nextOffset: last.offset + 1, tail, pulled: undefined };
}

function foldMessages(turn: Turn, messages: readonly LogMessage[], isCertain: boolean): void {
  const { next, now, effects } = turn;
  const read = messages.filter((message): message is ReadEntry => 'entry' in message);
  const { state, accepted, skipped } = foldEntries(next.cluster, read, next.maxLevel);
  const chain = chainAfter(next, messages, { logId: state.logId, accepted, now });
  const doubtFrom = isCertain ? undefined : chain.doubtFrom;
  if (state.needsNewer !== undefined && doubtFrom === undefined) {
    turn.next = { ...next, cluster: state };
    end(turn, { kind: 'outdated', entry: state.needsNewer });
    return;
  }
  if (chain.end !== undefined) {
    end(turn, chain.end);
    return;
  }
  if (doubtFrom !== undefined) {
    hold(turn, messages, doubtFrom);
    return;
  }
  let { lease } = next;
  for (const { entry } of accepted) lease = leaseAfterEntry(lease, entry);
  turn.next = {
    ...next,
    cluster: state,
    lease,
    held: [],
    gap: chain.gap,
    unconfirmed: chain.unconfirmed,
    unreadable: chain.unreadable,
    lastAcceptedAt: accepted.length > 0 ? now : next.lastAcceptedAt,
    unreadableCount: next.unreadableCount + messages.length - read.length,
  };
  for (const message of messages) if (!('entry' in message)) effects.push({ kind: 'unreadable', message });
  const nextOffset = (messages.at(-1)?.offset ?? -1) + 1;
  effects.push({ kind: 'folded', state, accepted, skipped, nextOffset });
}

/** Folds what comes before the message in doubt, and keeps the rest. */
function hold(turn: Turn, messages: readonly LogMessage[], from: number): void {
  const first = messages[from];
  if (first === undefined) return;
  const { held, gap } = turn.next;
  const until = held[0] === first && gap !== undefined ? gap.until : turn.now + SILENCE_MS;
  if (from > 0) foldMessages(turn, messages.slice(0, from), true);
  if (turn.next.ended !== undefined) return;
  const rest = messages.slice(from);
  turn.next = { ...turn.next, held: rest, gap: { offset: first.offset, since: turn.now, until } };
  if (rest.length <= MAX_HELD) return;
  const what = `${rest.length} messages of the log follow one that this build cannot decode, and none shows whether it is valid. Upgrade the node`;
  end(turn, { kind: 'failed', error: new Error(what) });
}

/**
 * Returns when a question was sent. A jump forward of the wall clock is valid only where the answer shows it too, for
 * somebody may have set the clock back since.
 */
function sentBy({ next, now }: Turn, { sentAt, sentElapsedMs }: SentTime): SentTime {
  return { sentAt, sentElapsedMs: Math.min(sentElapsedMs, elapsedMs(next.time) - (now - sentAt)) };
}

/** Messages that came after an answer are folded after later questions: those prove it too, as far as they were sent after it. */
function prove(turn: Turn, sent: SentTime, endOffset: number): void {
  const { due, nextOffset } = turn.next;
  if (endOffset <= nextOffset) {
    proven(turn, sent);
    return;
  }
  const isDueMet = due !== undefined && sent.sentAt >= due.sentAt && nextOffset >= due.endOffset;
  if (isDueMet) proven(turn, due);
  const { sentAt, sentElapsedMs } = sent;
  if (isDueMet || due === undefined) turn.next = { ...turn.next, due: { sentAt, sentElapsedMs, endOffset } };
}

function proven(turn: Turn, { sentAt, sentElapsedMs }: SentTime): void {
  const { next } = turn;
  const { due, gap, provenAt = -Infinity } = next;
  turn.next = { ...next, due: due !== undefined && due.sentAt <= sentAt ? undefined : due };
  if (gap !== undefined && sentAt <= gap.until) return;
  if (next.held.length > 0) {
    foldMessages(turn, next.held, true);
    return;
  }
  turn.next = {
    ...turn.next,
    provenAt: Math.max(provenAt, sentAt),
    lease: leaseAfterHeadReached(next.lease, sentElapsedMs, next.cluster.head.seq),
  };
  turn.effects.push({ kind: 'head-proven', sentAt });
}

function end(turn: Turn, why: NodeEnd): void {
  turn.next = { ...turn.next, held: [], pulled: undefined, ended: why, lease: leaseAfterLogLost(turn.next.lease) };
  turn.effects.push({ kind: 'end', end: why });
}

function isSame(left: Tail | undefined, right: Tail | undefined): boolean {
  return left?.offset === right?.offset && left?.digest === right?.digest;
}
