import { deflateSync, inflateSync } from 'node:zlib';
import { asBuffer } from '../bytes/as-buffer.js';
import { decodeBeat, isBeat, type Beat } from './beat.codec.js';
import { decodeEnvelope, encodeEnvelope, requireFields, type RequiredFields, WRITTEN_VERSION } from './envelope.codec.js';
import { MalformedMessageError } from '../protocol-error.js';

/** What these messages need to know of a task's id. */
export interface TaskIdShape {
  readonly connector: string;
  readonly index: number;
}

/** What the messages of the reports topic need to know of a node's report. */
export interface ReportShape {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly role: string;
  /** Grows by one per report of an incarnation. */
  readonly reportSeq: number;
  readonly sentAt: number;
  readonly leaving: boolean;
  readonly appliedSeq: number;
  readonly tasks: readonly { readonly id: TaskIdShape; readonly counters: Readonly<Record<string, number>> }[];
}

/** What the leader sends through a reports queue to learn whether that queue works. */
export interface Probe {
  readonly nodeId: string;
  readonly incarnation: string;
  /** Monotonic clock of the sender, milliseconds: only the sender can read it. */
  readonly sentAt: number;
}

/** A report as it travels: whole, in parts where it is too large for one message, or as what is new since the one before. */
export type ReportMessage<Report extends ReportShape> =
  | { readonly kind: 'report'; readonly report: Report }
  /** Only the first part has more than the tasks and what every report has. */
  | { readonly kind: 'report.part'; readonly part: number; readonly parts: number; readonly report: Report }
  /**
   * `report` has the fields and the tasks that are new or changed since the report number `since`. `gone` has the tasks that only that
   * report had.
   */
  | {
      readonly kind: 'report.delta';
      readonly since: number;
      readonly report: Partial<Report> & ReportShape;
      readonly gone: readonly TaskIdShape[];
    }
  | { readonly kind: 'report.beat'; readonly report: Beat };

export type ReportsMessage<Report extends ReportShape> = ReportMessage<Report> | { readonly kind: 'probe'; readonly probe: Probe };

/**
 * Encodes a report whose tasks are encoded already. A long list of tasks stands behind the rest as a block of its own: the same list is the same block.
 *
 * @param head - `kind`, and what else goes beside the report
 * @param report - without its tasks
 */
export function encodeReportMessage(head: object, report: object, tasks: readonly string[]): Buffer {
  const list = `[${tasks.join()}]`;
  if (list.length < BLOCK_FROM_LENGTH) {
    const before = JSON.stringify({ v: WRITTEN_VERSION, ...head }).slice(0, -1);
    return Buffer.from(`${before},"report":${JSON.stringify(report).slice(0, -1)},"tasks":${list}}}`, 'utf8');
  }
  const envelope = encodeEnvelope({ ...head, report });
  const start = Buffer.alloc(BLOCK_HEADER_BYTES);
  start.writeUInt8(WITH_BLOCK, 0);
  start.writeUInt32BE(envelope.length, 1);
  return Buffer.concat([start, envelope, deflateSync(list)]);
}

export function encodeProbe(probe: Probe): Buffer {
  return encodeEnvelope({ kind: 'probe', probe });
}

const fieldsOf: Readonly<Record<string, RequiredFields>> = {
  report: { report: 'object' },
  'report.part': { part: 'number', parts: 'number', report: 'object' },
  'report.delta': { since: 'number', report: 'object', gone: 'object' },
  probe: { probe: 'object' },
};

/** What every message with a report says beside its tasks. */
const reportFields: RequiredFields = { nodeId: 'string', incarnation: 'string', reportSeq: 'number', sentAt: 'number' };
/** What a whole report says too. */
const wholeFields: RequiredFields = { role: 'string', leaving: 'boolean', appliedSeq: 'number' };

/** A text of several tasks becomes five to ten times shorter as a block. */
const BLOCK_FROM_LENGTH = 512;
const MAX_INFLATED_BYTES = 16 * 1_048_576;

/** First bytes of what is not JSON alone, which begins with a brace. A message with a block states the length of its JSON. */
const WITH_BLOCK = 0x54;
const BLOCK_HEADER_BYTES = 1 + 4;

/** Reads the tasks of an incarnation from their block; see {@link tasksInBlock}. */
export type BlockReader<Report extends ReportShape> = (block: Buffer, node: Pick<ReportShape, 'nodeId' | 'incarnation'>) => Report['tasks'];

/** @throws MalformedMessageError */
export function decodeReportsMessage<Report extends ReportShape>(
  bytes: Uint8Array,
  readBlock: BlockReader<Report> = tasksInBlock,
): ReportsMessage<Report> {
  const body = asBuffer(bytes);
  if (isBeat(body)) return { kind: 'report.beat', report: decodeBeat(body) };
  if (body[0] !== WITH_BLOCK) return checked<Report>(body);
  const end = body.length < BLOCK_HEADER_BYTES ? Infinity : BLOCK_HEADER_BYTES + body.readUInt32BE(1);
  if (end > body.length) throw new MalformedMessageError('reports', 'it is cut off');
  const message = checked<Report>(body.subarray(BLOCK_HEADER_BYTES, end), false);
  if (message.kind === 'probe') return message;
  const { report } = message;
  return { ...message, report: { ...report, tasks: readBlock(body.subarray(end), report) } } as ReportsMessage<Report>;
}

/** @throws MalformedMessageError */
export function tasksInBlock<Report extends ReportShape>(block: Buffer): Report['tasks'] {
  let tasks: unknown;
  try {
    tasks = JSON.parse(inflateSync(block, { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8'));
  } catch (error) {
    throw new MalformedMessageError('reports', 'its tasks cannot be inflated', { cause: error });
  }
  requireTasks(tasks);
  return tasks;
}

function checked<Report extends ReportShape>(text: Buffer, hasTasks = true): ReportsMessage<Report> {
  const message = decodeEnvelope<ReportsMessage<Report>>('reports', text, { kind: 'string' });
  const required = fieldsOf[message.kind];
  if (required === undefined) throw new MalformedMessageError('reports', `its kind "${message.kind}" is unknown`);
  requireFields('reports', message, required);
  if (message.kind === 'probe') return message;
  requireFields('reports', message.report, reportFields);
  const isWhole = message.kind === 'report' || (message.kind === 'report.part' && message.part === 0);
  if (isWhole) requireFields('reports', message.report, wholeFields);
  if (!Number.isSafeInteger(message.report.reportSeq)) throw new MalformedMessageError('reports', 'its number is none');
  const { tasks } = message.report as { readonly tasks?: unknown };
  if (hasTasks) requireTasks(tasks);
  if (message.kind === 'report.delta' && !(Array.isArray(message.gone) && message.gone.every(isTaskId))) {
    throw new MalformedMessageError('reports', 'its field "gone" is no list of tasks');
  }
  return message;
}

/** Readers of a report take its tasks as they are: one foreign message must not end them. */
function requireTasks(tasks: unknown): asserts tasks is ReportShape['tasks'] {
  if (!Array.isArray(tasks)) throw new MalformedMessageError('reports', 'its tasks are no list');
  const wrong = (tasks as unknown[]).findIndex((task) => !isTask(task));
  if (wrong >= 0) throw new MalformedMessageError('reports', `its task ${wrong} has no id or no counters`);
}

function isTask(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, counters } = value as { readonly id?: unknown; readonly counters?: unknown };
  return isTaskId(id) && typeof counters === 'object' && counters !== null;
}

function isTaskId(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { connector, index } = value as { readonly connector?: unknown; readonly index?: unknown };
  return typeof connector === 'string' && typeof index === 'number';
}
