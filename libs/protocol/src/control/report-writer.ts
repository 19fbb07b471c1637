import { encodeBeat } from './beat.codec.js';
import { encodeReportMessage, type ReportShape, type TaskIdShape } from './report.codec.js';

export interface ReportLimits {
  /** After how many of its intervals a node reports its whole state, with the counters of all tasks. */
  readonly fullAfterIntervals: number;
  /** How soon after a change of a task a node reports its whole state, for readers that missed the change. */
  readonly fullAfterChangeMs: number;
  /** Tasks of one message, in bytes; a single task may be larger. */
  readonly maxTaskBytes: number;
}

/** A reader that starts looks back further than the whole state is old. */
export const reportLimits: ReportLimits = {
  fullAfterIntervals: 60,
  fullAfterChangeMs: 10_000,
  maxTaskBytes: 1_048_576,
};

interface ToldTask {
  readonly task: ReportShape['tasks'][number];
  /** Without its counters: those alone are no news. */
  readonly text: string;
}

interface Told {
  readonly reportSeq: number;
  readonly header: ReadonlyMap<string, string>;
  readonly tasks: ReadonlyMap<string, ToldTask>;
}

/** Fields that every message has, whether they have changed or not. */
const ALWAYS = ['nodeId', 'incarnation', 'role', 'reportSeq', 'sentAt', 'leaving'];
/** Fields of which a beat carries the new value. */
const IN_BEATS = ['reportSeq', 'sentAt', 'appliedSeq'];

/**
 * Turns the reports of one incarnation into messages, mostly of what is new, at times of everything. `ReportAssembler` puts them together
 * again.
 */
export class ReportWriter<Report extends ReportShape> {
  #told: Told | undefined;
  #fullDueMs = 0;

  constructor(private readonly limits: ReportLimits = reportLimits) {}

  /**
   * Encodes a report as messages, to be sent in this order.
   *
   * @param nowMs - of a clock that does not jump
   * @param allowsDeltas - whether every reader understands them
   * @param intervalMs - how often the node reports now
   */
  messagesOf(report: Report, nowMs: number, allowsDeltas: boolean, intervalMs: number): readonly Buffer[] {
    const { tasks: reported, ...fields } = report;
    const header = new Map(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));
    const tasks = new Map(reported.map((task) => [keyOf(task.id), { task, text: withoutCounters(task) }]));
    const before = this.#told;
    const isFull =
      !allowsDeltas ||
      before === undefined ||
      report.leaving ||
      nowMs >= this.#fullDueMs ||
      [...before.header.keys()].some((name) => !header.has(name));
    this.#told = { reportSeq: report.reportSeq, header, tasks };
    const delta = isFull ? undefined : this.#delta(report, before, this.#told, nowMs);
    if (delta !== undefined) return [delta];
    this.#fullDueMs = nowMs + this.limits.fullAfterIntervals * intervalMs;
    return this.#full(fields, [...tasks.values()]);
  }

  /** Makes the next report a full one, because a message may not have arrived. */
  forget(): void {
    this.#told = undefined;
  }

  #full(fields: object, tasks: readonly ToldTask[]): readonly Buffer[] {
    const parts = inParts(tasks.map(withCounters), this.limits.maxTaskBytes);
    const [all = [], ...others] = parts;
    if (others.length === 0) return [encodeReportMessage({ kind: 'report' }, fields, all)];
    return parts.map((texts, part) =>
      encodeReportMessage(
        { kind: 'report.part', part, parts: parts.length },
        part === 0 ? fields : only(fields, (name) => ALWAYS.includes(name)),
        texts,
      ),
    );
  }

  /** Undefined where it is too large for one message. */
  #delta({ tasks: _, ...fields }: Report, before: Told, now: Told, nowMs: number): Buffer | undefined {
    const changed = [...now.tasks].filter(([key, { text }]) => before.tasks.get(key)?.text !== text);
    const gone = [...before.tasks].filter(([key]) => !now.tasks.has(key)).map(([, { task }]) => task.id);
    const isNew = (name: string): boolean => before.header.get(name) !== now.header.get(name);
    const hasNews = changed.length + gone.length > 0;
    const since = before.reportSeq;
    if (!hasNews && since === now.reportSeq - 1) {
      if (Object.keys(fields).every((name) => IN_BEATS.includes(name) || !isNew(name))) return encodeBeat(fields);
    }
    const texts = changed.map(([, told]) => withCounters(told));
    if (inParts(texts, this.limits.maxTaskBytes).length > 1) return undefined;
    if (hasNews) this.#fullDueMs = Math.min(this.#fullDueMs, nowMs + this.limits.fullAfterChangeMs);
    const news = only(fields, (name) => ALWAYS.includes(name) || isNew(name));
    return encodeReportMessage({ kind: 'report.delta', since, gone }, news, texts);
  }
}

export function keyOf({ connector, index }: TaskIdShape): string {
  return `${index} ${connector}`;
}

function withoutCounters({ counters: _, ...others }: ReportShape['tasks'][number]): string {
  return JSON.stringify(others);
}

/** Adds the counters of a task to its text, without those that are zero. */
function withCounters({ task, text }: ToldTask): string {
  const counters = only(task.counters, (_, value) => value !== 0);
  return `${text.slice(0, -1)},"counters":${JSON.stringify(counters)}}`;
}

function only(fields: object, isWanted: (name: string, value: unknown) => boolean): object {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => isWanted(name, value)));
}

/** Splits tasks into parts: at least one, which may be empty. */
function inParts(texts: readonly string[], maxBytes: number): readonly (readonly string[])[] {
  let part: string[] = [];
  const parts = [part];
  let bytes = 0;
  for (const text of texts) {
    const more = Buffer.byteLength(text) + 1;
    if (bytes > 0 && bytes + more > maxBytes) {
      part = [];
      parts.push(part);
      bytes = 0;
    }
    part.push(text);
    bytes += more;
  }
  return parts;
}
