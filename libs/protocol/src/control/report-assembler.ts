import { asBuffer } from '../bytes/as-buffer.js';
import { appliedSeqOf, decodeBeat, isBeat, reportSeqOf, requireBeat, senderOf, sentAtOf } from './beat.codec.js';
import { decodeReportsMessage, tasksInBlock, type Probe, type ReportMessage, type ReportShape } from './report.codec.js';
import { MalformedMessageError } from '../protocol-error.js';
import { ReportSequence } from './report-sequence.js';
import { keyOf } from './report-writer.js';

/** What a message of the reports topic says. */
export type Heard<Report extends ReportShape> =
  | { readonly kind: 'report'; readonly report: Report }
  /** A report of which the whole is not known, or one that came twice. */
  | { readonly kind: 'alive'; readonly nodeId: string; readonly incarnation: string; readonly reportSeq: number }
  | { readonly kind: 'probe'; readonly probe: Probe };

interface Known<Report extends ReportShape> {
  readonly nodeId: string;
  readonly incarnation: string;
  /** Of the node id, in UTF-8. */
  readonly nodeBytes: number;
  /** Another one whose two texts are the same, one behind the other, but end elsewhere. */
  readonly namesake: Known<Report> | undefined;
  /** The last report that is known as a whole. */
  report: Report | undefined;
  /** The last tasks that came as a block: most of the time the next block is the same. */
  block: { readonly bytes: Buffer; readonly tasks: Report['tasks'] } | undefined;
  parts: { readonly reportSeq: number; readonly found: readonly Report[] } | undefined;
  readonly sequence: ReportSequence;
  heardAtMs: number;
}

export interface ReportAssemblerOptions<Report extends ReportShape> {
  /** Whether a report that was put together has what its readers take from it; by default each has. */
  readonly isWhole?: (report: Report) => boolean;
  /** Whether a node reports in this queue; by default each does. */
  readonly isOwnQueue?: (nodeId: string) => boolean;
  /** Called when the reports of an incarnation are believed again, after one with a foreign number was. */
  readonly onRestart?: (nodeId: string, incarnation: string) => void;
}

/** Incarnations that are silent for this long are forgotten. */
const SILENT_MS = 60_000;

/** Puts the reports of one queue together again, from the messages of `ReportWriter`. */
export class ReportAssembler<Report extends ReportShape> {
  /** By node id with the incarnation behind it, as it stands in a beat: a thousand nodes send a thousand of them a second. */
  readonly #known = new Map<string, Known<Report>>();

  constructor(private readonly options: ReportAssemblerOptions<Report> = {}) {}

  /**
   * Decodes a message and puts the report together that it belongs to.
   *
   * @param storedAtMs - when the broker stored it
   * @throws MalformedMessageError
   */
  read(body: Uint8Array, storedAtMs: number): Heard<Report> {
    const bytes = asBuffer(body);
    if (isBeat(bytes)) return this.#readBeat(bytes, storedAtMs);
    const message = decodeReportsMessage<Report>(bytes, (block, node) => tasksOf(this.#knownOf(node, storedAtMs), block));
    if (message.kind === 'probe') return message;
    const { reportSeq } = message.report;
    const known = this.#knownOf(message.report, storedAtMs);
    this.#judge(known, reportSeq, storedAtMs);
    return heard(known, reportSeq, this.#takeFrom(known, message));
  }

  /** As the rest of {@link read}, without objects in between: most of the messages are beats. */
  #readBeat(body: Buffer, storedAtMs: number): Heard<Report> {
    const nodeBytes = requireBeat(body);
    const reportSeq = reportSeqOf(body);
    const known = this.#find(senderOf(body), nodeBytes) ?? this.#knownOf(decodeBeat(body), storedAtMs);
    known.heardAtMs = storedAtMs;
    this.#judge(known, reportSeq, storedAtMs);
    return heard(known, reportSeq, takeBeat(known, reportSeq, sentAtOf(body), appliedSeqOf(body)));
  }

  /** @throws MalformedMessageError where nobody can believe the number of a report */
  #judge(known: Known<Report>, reportSeq: number, storedAtMs: number): void {
    const verdict = known.sequence.judge(reportSeq, storedAtMs);
    if (verdict === 'foreign') throw foreignNumber(known, reportSeq);
    if (verdict !== 'restart') return;
    known.report = known.parts = undefined;
    this.options.onRestart?.(known.nodeId, known.incarnation);
  }

  /**
   * Returns the report that a message completes. Where an earlier message is missing, returns the last whole report with the new number and
   * time. The node lives then, and its state is unknown until its next full report. Returns undefined where there is none, and for a
   * message that is late or duplicate.
   *
   * @param storedAtMs - when the broker stored it
   * @throws MalformedMessageError
   */
  take(message: ReportMessage<Report>, storedAtMs: number): Report | undefined {
    return this.#takeFrom(this.#knownOf(message.report, storedAtMs), message);
  }

  #takeFrom(known: Known<Report>, message: ReportMessage<Report>): Report | undefined {
    const { report: last } = known;
    if (last !== undefined && message.report.reportSeq <= last.reportSeq) return undefined;
    switch (message.kind) {
      case 'report':
        return (known.report = this.#whole(message.report));
      case 'report.part':
        return takePart(known, message, (report) => this.#whole(report));
      case 'report.delta':
        if (last === undefined) return undefined;
        if (last.reportSeq === message.since) return (known.report = this.#whole(applied(last, message)));
        return withLife(last, message.report.reportSeq, message.report.sentAt);
      case 'report.beat':
        return takeBeat(known, message.report.reportSeq, message.report.sentAt, message.report.appliedSeq);
      default:
        return message satisfies never;
    }
  }

  #whole(report: Report): Report {
    if (this.options.isWhole?.(report) !== false) return report;
    throw new MalformedMessageError('reports', `the report of node ${report.nodeId} lacks what every node reports`);
  }

  #knownOf({ nodeId, incarnation }: Pick<ReportShape, 'nodeId' | 'incarnation'>, nowMs: number): Known<Report> {
    if (this.options.isOwnQueue?.(nodeId) === false) {
      throw new MalformedMessageError('reports', `node ${nodeId} does not report in this queue`);
    }
    const nodeBytes = Buffer.byteLength(nodeId);
    let known = this.#find(nodeId + incarnation, nodeBytes);
    if (known === undefined) {
      this.#forgetSilent(nowMs);
      known = {
        nodeId,
        incarnation,
        nodeBytes,
        namesake: this.#known.get(nodeId + incarnation),
        report: undefined,
        block: undefined,
        parts: undefined,
        sequence: new ReportSequence(),
        heardAtMs: nowMs,
      };
      this.#known.set(nodeId + incarnation, known);
    }
    known.heardAtMs = nowMs;
    return known;
  }

  #find(sender: string, nodeBytes: number): Known<Report> | undefined {
    let known = this.#known.get(sender);
    while (known !== undefined && known.nodeBytes !== nodeBytes) known = known.namesake;
    return known;
  }

  /** Namesakes are forgotten together. */
  #forgetSilent(nowMs: number): void {
    for (const [sender, newest] of this.#known) {
      let heardAtMs = -Infinity;
      for (let known: Known<Report> | undefined = newest; known !== undefined; known = known.namesake) {
        heardAtMs = Math.max(heardAtMs, known.heardAtMs);
      }
      if (nowMs - heardAtMs > SILENT_MS) this.#known.delete(sender);
    }
  }
}

function heard<Report extends ReportShape>(known: Known<Report>, reportSeq: number, report: Report | undefined): Heard<Report> {
  const number = known.sequence.numberOf(reportSeq);
  if (report === undefined) return { kind: 'alive', nodeId: known.nodeId, incarnation: known.incarnation, reportSeq: number };
  return { kind: 'report', report: number === report.reportSeq ? report : { ...report, reportSeq: number } };
}

function foreignNumber({ nodeId, incarnation }: Pick<ReportShape, 'nodeId' | 'incarnation'>, reportSeq: number): MalformedMessageError {
  const report = `report ${reportSeq} of node ${nodeId} (incarnation ${incarnation})`;
  return new MalformedMessageError('reports', `${report} cannot follow those before it: somebody else wrote it`);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Copies a report of a node that lives. Fields that are set after the copy cost a third of those that stand in the literal behind it. */
function withLife<Report extends ReportShape>(report: Report, reportSeq: number, sentAt: number): Mutable<Report> {
  const copy: Mutable<Report> = { ...report };
  copy.reportSeq = reportSeq;
  copy.sentAt = sentAt;
  return copy;
}

/** Returns what {@link ReportAssembler.take} does of a beat. */
function takeBeat<Report extends ReportShape>(
  known: Known<Report>,
  reportSeq: number,
  sentAt: number,
  appliedSeq: number,
): Report | undefined {
  const { report: last } = known;
  if (last === undefined || reportSeq <= last.reportSeq) return undefined;
  const alive = withLife(last, reportSeq, sentAt);
  if (last.reportSeq !== reportSeq - 1) return alive;
  alive.appliedSeq = appliedSeq;
  return (known.report = alive);
}

/** Returns the same list for the same block, so that readers need not compare it again. */
function tasksOf<Report extends ReportShape>(known: Known<Report>, block: Buffer): Report['tasks'] {
  if (known.block?.bytes.equals(block) === true) return known.block.tasks;
  const tasks = tasksInBlock<Report>(block);
  // A copy: the block is a part of all that was pulled with it.
  known.block = { bytes: Buffer.from(block), tasks };
  return tasks;
}

function takePart<Report extends ReportShape>(
  known: Known<Report>,
  { report, part, parts }: ReportMessage<Report> & { readonly kind: 'report.part' },
  whole: (report: Report) => Report,
): Report | undefined {
  const { reportSeq } = report;
  if (part === 0) known.parts = { reportSeq, found: [] };
  // They come in order: what does not follow the one before came twice, or that one is missing.
  if (known.parts?.reportSeq !== reportSeq || known.parts.found.length !== part) return undefined;
  const found = [...known.parts.found, report];
  known.parts = { reportSeq, found };
  const [first] = found;
  if (first === undefined || found.length < parts) return undefined;
  known.parts = undefined;
  return (known.report = whole({ ...first, tasks: found.flatMap(({ tasks }) => tasks) }));
}

function applied<Report extends ReportShape>(
  last: Report,
  { report, gone }: ReportMessage<Report> & { readonly kind: 'report.delta' },
): Report {
  // The same list where no task is new: readers need not look at it again.
  if (report.tasks.length + gone.length === 0) return { ...last, ...report, tasks: last.tasks };
  const tasks = new Map(last.tasks.map((task) => [keyOf(task.id), task]));
  for (const id of gone) tasks.delete(keyOf(id));
  for (const task of report.tasks) tasks.set(keyOf(task.id), task);
  return { ...last, ...report, tasks: [...tasks.values()] };
}
