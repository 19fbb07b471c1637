import { deflateSync, inflateSync } from 'node:zlib';
import {
  decodeEnvelope,
  encodeEnvelope,
  requireFields,
  type RequiredFields,
  WRITTEN_VERSION,
} from './envelope.codec.js';
import { MalformedMessageError } from './malformed-message-error.js';

export interface TaskKey {
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
  readonly tasks: readonly { readonly id: TaskKey; readonly counters: Readonly<Record<string, number>> }[];
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
  /** `report` has the fields and the tasks that are new or changed since the report number `since`; `gone` the tasks that it had and this has not. */
  | {
      readonly kind: 'report.delta';
      readonly since: number;
      readonly report: Partial<Report> & ReportShape;
      readonly gone: readonly TaskKey[];
    }
  | { readonly kind: 'report.beat'; readonly report: Beat };

/** Nothing is new since the report before but these. */
export interface Beat {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly reportSeq: number;
  readonly sentAt: number;
  readonly appliedSeq: number;
}

export type ReportsMessage<Report extends ReportShape> =
  ReportMessage<Report> | { readonly kind: 'probe'; readonly probe: Probe };

/**
 * A report message whose tasks are encoded already.
 *
 * @param head - `kind`, and what else goes beside the report
 * @param report - without its tasks
 */
export function encodeReportMessage(head: object, report: object, tasks: readonly string[]): Buffer {
  const before = JSON.stringify({ v: WRITTEN_VERSION, ...head }).slice(0, -1);
  const text = `${before},"report":${JSON.stringify(report).slice(0, -1)},"tasks":[${tasks.join()}]}}`;
  const body = Buffer.from(text, 'utf8');
  return body.length < DEFLATED_FROM_BYTES ? body : deflateSync(body);
}

/** The most frequent message by far, and as short as it can be. */
export function encodeBeat({ nodeId, incarnation, reportSeq, sentAt, appliedSeq }: Beat): Buffer {
  return encodeEnvelope({ kind: 'report.beat', beat: [nodeId, incarnation, reportSeq, sentAt, appliedSeq] });
}

export function encodeProbe(probe: Probe): Buffer {
  return encodeEnvelope({ kind: 'probe', probe });
}

const fieldsOf: Readonly<Record<string, RequiredFields>> = {
  report: { report: 'object' },
  'report.part': { part: 'number', parts: 'number', report: 'object' },
  'report.delta': { since: 'number', report: 'object', gone: 'object' },
  'report.beat': { beat: 'object' },
  probe: { probe: 'object' },
};

/** A text of several tasks becomes five to ten times shorter. */
const DEFLATED_FROM_BYTES = 1_024;
/** First byte of what zlib wrote; JSON begins with a brace. */
const DEFLATED = 0x78;
const MAX_INFLATED_BYTES = 16 * 1_048_576;

/** @throws MalformedMessageError */
export function decodeReportsMessage<Report extends ReportShape>(body: Uint8Array): ReportsMessage<Report> {
  const text = body[0] === DEFLATED ? inflated(body) : body;
  const message = decodeEnvelope<ReportsMessage<Report>>('reports', text, { kind: 'string' });
  const required = fieldsOf[message.kind];
  if (required === undefined) throw new MalformedMessageError('reports', `its kind "${message.kind}" is unknown`);
  requireFields('reports', message, required);
  return message.kind === 'report.beat' ? { kind: message.kind, report: beatIn(message as object) } : message;
}

function beatIn({ beat }: { readonly beat?: unknown }): Beat {
  const [nodeId, incarnation, reportSeq, sentAt, appliedSeq] = Array.isArray(beat) ? (beat as unknown[]) : [];
  const hasTexts = typeof nodeId === 'string' && typeof incarnation === 'string';
  const hasNumbers = typeof reportSeq === 'number' && typeof sentAt === 'number' && typeof appliedSeq === 'number';
  if (!hasTexts || !hasNumbers) throw new MalformedMessageError('reports', 'its beat lacks a part');
  return { nodeId, incarnation, reportSeq, sentAt, appliedSeq };
}

function inflated(body: Uint8Array): Uint8Array {
  try {
    return inflateSync(body, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (error) {
    throw new MalformedMessageError('reports', 'it cannot be inflated', { cause: error });
  }
}
