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
  /** By partition key; the values are the runtime's. */
  readonly entries: Readonly<Record<string, object>>;
  /** Per queue: the offset from which an unclean hand-over has to be scanned. */
  readonly scanFrom: Readonly<Record<string, number>>;
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
    scanFrom: 'object',
  });
}
