import { decodeEnvelope, encodeEnvelope } from './envelope.codec.js';

interface ReportShape {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly role: string;
  readonly reportSeq: number;
  readonly sentAt: number;
}

/** What the leader sends through a reports queue to learn whether that queue works. */
export interface Probe {
  readonly nodeId: string;
  readonly incarnation: string;
  /** Monotonic clock of the sender, milliseconds: only the sender can read it. */
  readonly sentAt: number;
}

export type ReportsMessage<Report extends ReportShape> =
  { readonly kind: 'report'; readonly report: Report } | { readonly kind: 'probe'; readonly probe: Probe };

export function encodeReport(report: ReportShape): Buffer {
  return encodeEnvelope({ kind: 'report', report });
}

export function encodeProbe(probe: Probe): Buffer {
  return encodeEnvelope({ kind: 'probe', probe });
}

/** @throws MalformedMessageError */
export function decodeReportsMessage<Report extends ReportShape>(body: Uint8Array): ReportsMessage<Report> {
  const { kind } = decodeEnvelope<{ kind: string }>('reports', body, { kind: 'string' });
  return decodeEnvelope<ReportsMessage<Report>>(
    'reports',
    body,
    kind === 'probe' ? { probe: 'object' } : { report: 'object' },
  );
}
