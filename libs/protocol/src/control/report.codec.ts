import {
  decodeEnvelope,
  encodeEnvelope,
  PROTOCOL_VERSION,
  requireFields,
  type RequiredFields,
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
    };

export type ReportsMessage<Report extends ReportShape> =
  ReportMessage<Report> | { readonly kind: 'probe'; readonly probe: Probe };

/**
 * A report message whose tasks are encoded already.
 *
 * @param head - `kind`, and what else goes beside the report
 * @param report - without its tasks
 */
export function encodeReportMessage(head: object, report: object, tasks: readonly string[]): Buffer {
  const before = JSON.stringify({ v: PROTOCOL_VERSION, ...head }).slice(0, -1);
  return Buffer.from(`${before},"report":${JSON.stringify(report).slice(0, -1)},"tasks":[${tasks.join()}]}}`, 'utf8');
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

/** @throws MalformedMessageError */
export function decodeReportsMessage<Report extends ReportShape>(body: Uint8Array): ReportsMessage<Report> {
  const message = decodeEnvelope<ReportsMessage<Report>>('reports', body, { kind: 'string' });
  const required = fieldsOf[message.kind];
  if (required === undefined) throw new MalformedMessageError('reports', `its kind "${message.kind}" is unknown`);
  requireFields('reports', message, required);
  return message;
}
