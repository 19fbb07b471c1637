import { encodeReportMessage, type ReportShape, type TaskKey } from './report.codec.js';

export interface ReportLimits {
  /** How often the whole state is told. */
  readonly fullIntervalMs: number;
  /** How often a task is told of which nothing but its counters has changed. */
  readonly countersIntervalMs: number;
  /** Tasks of one message, in bytes; a single task may be larger. */
  readonly maxTaskBytes: number;
}

/** A reader that starts looks back further than the whole state is old. */
export const reportLimits: ReportLimits = {
  fullIntervalMs: 10_000,
  countersIntervalMs: 5_000,
  maxTaskBytes: 1_048_576,
};

interface ToldTask {
  readonly id: TaskKey;
  readonly toldAtMs: number;
  readonly text: string;
  readonly textWithoutCounters: string;
}

interface Told {
  readonly reportSeq: number;
  readonly header: ReadonlyMap<string, string>;
  readonly tasks: ReadonlyMap<string, ToldTask>;
}

/** Fields that every message has, whether they have changed or not. */
const always = ['nodeId', 'incarnation', 'role', 'reportSeq', 'sentAt', 'leaving'];

/** Turns the reports of one incarnation into messages that say what is new, now and then all. `ReportAssembler` puts them together again. */
export class ReportWriter<Report extends ReportShape> {
  private told: Told | undefined;
  private fullAtMs = 0;

  constructor(private readonly limits: ReportLimits = reportLimits) {}

  /**
   * The messages of a report, to be sent in this order.
   *
   * @param nowMs - of a clock that does not jump
   * @param allowsDeltas - whether every reader understands them
   */
  messagesOf(report: Report, nowMs: number, allowsDeltas: boolean): readonly Buffer[] {
    const { tasks: reported, ...fields } = report;
    const header = new Map(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));
    const tasks = new Map(reported.map((task) => [keyOf(task.id), this.toldTask(task, nowMs)]));
    const before = this.told;
    const isFull =
      !allowsDeltas ||
      before === undefined ||
      report.leaving ||
      nowMs - this.fullAtMs >= this.limits.fullIntervalMs ||
      [...before.header.keys()].some((name) => !header.has(name));
    this.told = { reportSeq: report.reportSeq, header, tasks };
    const delta = isFull ? undefined : this.delta(fields, before, this.told);
    if (delta !== undefined) return [delta];
    this.fullAtMs = nowMs;
    return this.full(fields, [...tasks.values()]);
  }

  /** A message may not have arrived: the next report is told as a whole. */
  forget(): void {
    this.told = undefined;
  }

  private toldTask(task: ReportShape['tasks'][number], nowMs: number): ToldTask {
    const { counters, ...others } = task;
    const textWithoutCounters = JSON.stringify(others);
    const text = `${textWithoutCounters.slice(0, -1)},"counters":${JSON.stringify(counters)}}`;
    const before = this.told?.tasks.get(keyOf(task.id));
    const isOld =
      before !== undefined &&
      (before.text === text ||
        (before.textWithoutCounters === textWithoutCounters &&
          nowMs - before.toldAtMs < this.limits.countersIntervalMs));
    return isOld ? before : { id: task.id, toldAtMs: nowMs, text, textWithoutCounters };
  }

  private full(fields: object, tasks: readonly ToldTask[]): readonly Buffer[] {
    const parts = inParts(
      tasks.map(({ text }) => text),
      this.limits.maxTaskBytes,
    );
    const [all = [], ...others] = parts;
    if (others.length === 0) return [encodeReportMessage({ kind: 'report' }, fields, all)];
    return parts.map((texts, part) =>
      encodeReportMessage(
        { kind: 'report.part', part, parts: parts.length },
        part === 0 ? fields : only(fields, (name) => always.includes(name)),
        texts,
      ),
    );
  }

  /** Undefined where it is too large for one message. */
  private delta(fields: object, before: Told, now: Told): Buffer | undefined {
    const texts = [...now.tasks].filter(([key, task]) => before.tasks.get(key) !== task).map(([, { text }]) => text);
    if (inParts(texts, this.limits.maxTaskBytes).length > 1) return undefined;
    const gone = [...before.tasks].filter(([key]) => !now.tasks.has(key)).map(([, { id }]) => id);
    const changed = only(fields, (name) => always.includes(name) || before.header.get(name) !== now.header.get(name));
    return encodeReportMessage({ kind: 'report.delta', since: before.reportSeq, gone }, changed, texts);
  }
}

export function keyOf({ connector, index }: TaskKey): string {
  return `${String(index)} ${connector}`;
}

function only(fields: object, isWanted: (name: string) => boolean): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => isWanted(name)));
}

/** At least one part, which may be empty. */
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
