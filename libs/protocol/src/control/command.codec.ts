import { decodeEnvelope, encodeEnvelope } from './envelope.codec.js';

interface CommandShape {
  readonly kind: string;
  readonly requestId: string;
  readonly sentAt: number;
  readonly from: string;
}

export function encodeCommand(command: CommandShape): Buffer {
  return encodeEnvelope(command);
}

/** @throws MalformedMessageError */
export function decodeCommand<Command extends CommandShape>(body: Uint8Array): Command {
  return decodeEnvelope<Command>('command', body, {
    kind: 'string',
    requestId: 'string',
    sentAt: 'number',
    from: 'string',
  });
}
