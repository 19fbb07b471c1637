import {
  beginningAt,
  type ClusterState,
  emptyState,
  fromFiles,
  holdsLease,
  initialNodeLoop,
  isOfOneOrigin,
  jsonParts,
  loadSnapshot,
  type LogMessage,
  type NodeEffect,
  type NodeInputBody,
  type NodeLoop,
  planStart,
  type ReadEntry,
  snapshotReadFrom,
  snapshotsNamedIn,
  stepNode,
  type TailAnswer,
  tailQuestion,
  type TailQuestion,
  tailVerdict,
  toConnectorFile,
  toTaskFile,
} from '@sluice/core';
import type { SimBroker } from './sim-broker.js';
import type { SimProcess } from './sim-clock.js';

/** What a process keeps on its disk: the files of its folded state, as text. */
export interface SimDisk {
  files?: () => { readonly connectors: string; readonly tasks: string };
  /** Of the first log that the node has read: it refuses another one. */
  logId?: string;
}

/** More than are under way. */
const REMEMBERED_QUESTIONS = 64;
/** As many entries as one pull brings. */
const PULL_LIMIT = 200;
/** Readers without a copy look for a snapshot in logs of more entries. */
const PREFER_SNAPSHOT_BEYOND = 40;

/**
 * Drives the node's loop of one process: begins from its files, the newest snapshot or the first entry, and pulls to read and to prove. Both
 * kinds of pulls are under way independently, and each may be lost on its own.
 */
export class SimLogReader {
  node: NodeLoop;
  /** Between these times no pull of this process is answered. */
  deaf = { from: 0, until: 0 };
  /** Pulls that read are not answered, until the reader is opened again; those that prove are. */
  isReaderSilent = false;
  /** The message at this offset cannot be decoded, as by a build that is too old for it. */
  blindAt: number | undefined;
  #readers = 0;
  readonly #name: string;
  /** The end of the log when a question was sent, by its time. */
  readonly #sent = new Map<number, { readonly log: ReadEntry | undefined; readonly rewrites: number }>();
  #isPulling = false;

  constructor(
    readonly process: SimProcess,
    readonly broker: SimBroker,
    readonly disk: SimDisk,
    self: { readonly nodeId: string; readonly incarnation: string; readonly maxLevel: number },
    readonly carryOut: (effect: NodeEffect) => void,
  ) {
    const cluster = this.#begin();
    const { nodeId, incarnation, maxLevel } = self;
    this.#name = `${nodeId}@${incarnation}`;
    const node = initialNodeLoop({ nodeId, incarnation }, cluster, process.clocks, maxLevel);
    this.node = cluster.head.seq < 0 ? beginningAt(node, cluster, broker.minOffset) : node;
    if (cluster.level > maxLevel || this.#isOtherLog) process.isDead = true;
    else this.#rememberLog();
    process.every(80, () => {
      this.#read();
    });
    process.every(400, () => {
      this.#ask();
    });
    process.every(2_000, () => {
      this.#persist();
    });
  }

  /** Whether its process may act for its tasks now. */
  get hasLease(): boolean {
    return holdsLease(this.node, this.process.clocks);
  }

  /** The log's topic was created again: a node that knew the old one must not run on the new one. */
  get #isOtherLog(): boolean {
    const { logId } = this.disk;
    if (logId === undefined) return false;
    const found = this.#first?.entry.logId;
    return found === undefined || !isOfOneOrigin(logId, found);
  }

  get #first(): ReadEntry | undefined {
    return this.broker.readLog(this.broker.minOffset, 1)[0];
  }

  get #isHeard(): boolean {
    const { now } = this.broker.clock;
    return this.broker.isAwake && this.broker.isLogThere && !(now >= this.deaf.from && now < this.deaf.until);
  }

  /** One pull of the reader is under way; after it, questions until what it brought is checked. */
  #read(): void {
    if (this.node.pulled !== undefined) this.#ask();
    if (this.#isPulling || this.node.pulled !== undefined) return;
    const reader = this.#readers;
    this.#isPulling = true;
    this.process.after(2, () => {
      if (reader !== this.#readers) return;
      const isAnswered = this.#isHeard && !this.isReaderSilent;
      const messages = isAnswered ? this.broker.readLog(this.node.nextOffset, PULL_LIMIT) : [];
      this.process.after(this.process.clock.random() * 30, () => {
        if (reader !== this.#readers) return;
        this.#isPulling = false;
        this.#input({ kind: 'pulled', messages: messages.map((each) => this.#decoded(each)) });
        if (this.node.pulled !== undefined) this.#ask();
      });
    });
  }

  #decoded(read: ReadEntry): LogMessage {
    const { offset, digest, entry } = read;
    const isOwn = entry.claimId.startsWith(this.#name);
    return offset === this.blindAt && !isOwn ? { offset, digest, why: 'too new', logId: entry.logId } : read;
  }

  #ask(): void {
    const { process } = this;
    const question = tailQuestion(this.node, this.process.clocks);
    // While the clock is stopped, a time proves what the first of its questions proves.
    if (!this.#sent.has(question.sentAt)) {
      this.#sent.set(question.sentAt, { log: this.broker.log.at(-1), rewrites: this.broker.rewrites });
    }
    if (this.#sent.size > REMEMBERED_QUESTIONS) this.#sent.delete(this.#sent.keys().next().value ?? 0);
    process.after(1 + process.clock.random() * 5, () => {
      if (!this.#isHeard) return;
      const answer = this.#answer(question);
      process.after(process.clock.random() * 20, () => {
        this.#input({ kind: 'answered', question, answer });
      });
    });
  }

  #answer({ about }: TailQuestion): TailAnswer {
    const { bounds } = this.broker;
    return { bounds, found: about.map(({ offset }) => this.broker.readLog(offset, 1)[0]?.digest) };
  }

  #input(body: NodeInputBody): void {
    if (this.process.isDead) return;
    const { state, effects } = stepNode(this.node, { ...body, ...this.process.clocks });
    this.node = state;
    for (const effect of effects) {
      if (effect.kind === 'reopen-reader') this.#reopen();
      if (effect.kind === 'head-proven') this.#judgeProof(effect.sentAt);
      if (effect.kind === 'end' && effect.end.kind === 'rewritten') delete this.disk.files;
      this.carryOut(effect);
    }
  }

  /** A proof may extend the lease only if the node has folded all of this log as of the time when it asked. */
  #judgeProof(sentAt: number): void {
    const sent = this.#sent.get(sentAt);
    const { nextOffset, tail } = this.node;
    const last = sent?.log;
    if (sent === undefined || last === undefined) return;
    // Where the log lost its end before the answer came, what was lost need not be folded: nobody else can fold it any more.
    const isRewritten = sent.rewrites !== this.broker.rewrites;
    const isAll = isRewritten || nextOffset > last.offset;
    const isSame = isRewritten || (nextOffset > last.offset + 1 ? this.#isInLog() : tail?.digest === last.digest);
    if (!isAll || !isSame) {
      const what = `${last.offset + 1} entries and has folded ${isAll ? 'others' : String(nextOffset)}`;
      this.broker.violate(`${this.#name} proves that it knows ${what}`);
    }
  }

  #isInLog(): boolean {
    const { tail } = this.node;
    return tail === undefined || this.broker.log[tail.offset]?.digest === tail.digest;
  }

  #reopen(): void {
    this.#readers += 1;
    this.#isPulling = false;
    this.isReaderSilent = false;
  }

  #persist(): void {
    this.#rememberLog();
    const { cluster } = this.node;
    // What is folded never changes: the text is made where somebody reads it.
    this.disk.files = () => ({
      connectors: [...jsonParts(toConnectorFile(cluster))].join(''),
      tasks: [...jsonParts(toTaskFile(cluster))].join(''),
    });
  }

  #rememberLog(): void {
    const { logId } = this.node.cluster;
    if (logId !== '') this.disk.logId ??= logId;
  }

  #begin(): ClusterState {
    const files = this.disk.files?.();
    const local = files && fromFiles(JSON.parse(files.connectors), JSON.parse(files.tasks));
    const { bounds } = this.broker;
    const plan = planStart(local?.head, bounds, PREFER_SNAPSHOT_BEYOND);
    if (plan.kind === 'local' && local !== undefined && this.#holds(local)) return local;
    if (plan.kind === 'local' || plan.kind === 'rewritten') {
      delete this.disk.files;
      return this.#begin();
    }
    // A log that was restored begins with a snapshot; where the restore was broken off, nobody starts.
    const isRestored = this.#first?.entry.event.kind === 'snapshot.chunk' && bounds.minOffset === 0;
    const found = plan.kind === 'snapshot' || isRestored ? this.#snapshot() : undefined;
    if (found === undefined && bounds.minOffset > 0) throw new Error('no snapshot is left');
    if (found === undefined && isRestored) this.process.isDead = true;
    return found ?? emptyState();
  }

  #holds({ head }: ClusterState): boolean {
    return tailVerdict(head, this.broker.readLog(head.offset, 1)[0]?.digest, this.broker.bounds) === 'same';
  }

  #snapshot(): ClusterState | undefined {
    const { minOffset, maxOffset } = this.broker.bounds;
    for (const doneOffset of snapshotsNamedIn(this.broker.readLog(minOffset, maxOffset))) {
      const from = snapshotReadFrom(this.broker.readLog(doneOffset, 1)[0]);
      if (from === undefined || from < minOffset) continue;
      const loaded = loadSnapshot(this.broker.readLog(from, doneOffset + 1 - from));
      if (loaded.kind === 'loaded') return loaded.state;
    }
    return undefined;
  }
}
