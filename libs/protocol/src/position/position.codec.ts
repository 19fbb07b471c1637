import { decodeEnvelope, encodeEnvelope } from '../control/envelope.codec.js';

/** Written by a task's new owner before it reads what is stored: what an older generation writes after it does not count. */
export interface PositionBarrier {
  readonly kind: 'barrier';
  readonly connector: string;
  readonly index: number;
  readonly generation: number;
}

/** How far a task has read. `entries` holds what changed since the message before, or everything when `full`. */
export interface PositionWrite {
  readonly kind: 'write';
  readonly connector: string;
  readonly index: number;
  readonly generation: number;
  /** The task stopped in good order: everything it sent is acknowledged and covered by its positions. */
  readonly clean: boolean;
  readonly full: boolean;
  /** How far each partition is stored, by partition key; the values are the runtime's. */
  readonly entries: Readonly<Record<string, object>>;
  /** From where each queue has to be scanned after an unclean hand-over, by queue key; the values are the runtime's. */
  readonly scans: Readonly<Record<string, object>>;
}

export type PositionMessage = PositionBarrier | PositionWrite;

export function encodePosition(message: PositionMessage): Buffer {
  return encodeEnvelope(message);
}

/** @throws MalformedMessageError */
export function decodePosition(body: Uint8Array): PositionMessage {
  const head = { kind: 'string', connector: 'string', index: 'number', generation: 'number' } as const;
  const message = decodeEnvelope<PositionMessage>('position', body, head);
  if (message.kind === 'barrier') return message;
  return decodeEnvelope<PositionWrite>('position', body, {
    ...head,
    clean: 'boolean',
    full: 'boolean',
    entries: 'object',
    scans: 'object',
  });
}
