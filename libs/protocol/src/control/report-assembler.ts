import type { ReportMessage, ReportShape } from './report.codec.js';
import { keyOf } from './report-writer.js';

interface Known<Report> {
  /** The last report that is known as a whole. */
  report: Report | undefined;
  parts: { readonly reportSeq: number; readonly found: readonly Report[] } | undefined;
  heardAtMs: number;
}

/** Incarnations that are silent for this long are forgotten. */
const silentMs = 60_000;

/** Puts the reports of one queue together again, from the messages of `ReportWriter`. */
export class ReportAssembler<Report extends ReportShape> {
  private readonly known = new Map<string, Known<Report>>();

  /**
   * The report that a message makes whole. Where a message before it is missing, the last whole report with the new one's number and time: the
   * node lives, and what it does is unknown until it tells all again. Undefined where there is none, and for what came twice or too late.
   *
   * @param storedAtMs - when the broker stored it
   */
  take(message: ReportMessage<Report>, storedAtMs: number): Report | undefined {
    const known = this.knownOf(message.report, storedAtMs);
    const { report: last } = known;
    if (last !== undefined && message.report.reportSeq <= last.reportSeq) return undefined;
    switch (message.kind) {
      case 'report':
        return (known.report = message.report);
      case 'report.part':
        return takePart(known, message);
      case 'report.delta':
        if (last === undefined) return undefined;
        if (last.reportSeq === message.since) return (known.report = applied(last, message));
        return { ...last, reportSeq: message.report.reportSeq, sentAt: message.report.sentAt };
      case 'report.beat': {
        if (last === undefined) return undefined;
        const { reportSeq, sentAt, appliedSeq } = message.report;
        if (last.reportSeq !== reportSeq - 1) return { ...last, reportSeq, sentAt };
        return (known.report = { ...last, reportSeq, sentAt, appliedSeq });
      }
      default:
        return message satisfies never;
    }
  }

  private knownOf({ nodeId, incarnation }: Pick<ReportShape, 'nodeId' | 'incarnation'>, nowMs: number): Known<Report> {
    const key = `${nodeId} ${incarnation}`;
    let known = this.known.get(key);
    if (known === undefined) {
      for (const [other, { heardAtMs }] of this.known) if (nowMs - heardAtMs > silentMs) this.known.delete(other);
      known = { report: undefined, parts: undefined, heardAtMs: nowMs };
      this.known.set(key, known);
    }
    known.heardAtMs = nowMs;
    return known;
  }
}

function takePart<Report extends ReportShape>(
  known: Known<Report>,
  { report, part, parts }: ReportMessage<Report> & { readonly kind: 'report.part' },
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
  return (known.report = { ...first, tasks: found.flatMap(({ tasks }) => tasks) });
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
