import { PROTOCOL_VERSION, WRITTEN_VERSION } from './envelope.codec.js';
import { MalformedMessageError } from '../protocol-error.js';

/** A report in which only these fields are new. */
export interface Beat {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly reportSeq: number;
  readonly sentAt: number;
  readonly appliedSeq: number;
}

/** The first byte of a beat. Other messages of the reports topic begin with another one. */
const BEAT = 0x42;
/** That byte, the version, the bytes of the node id, and three numbers. The two texts follow. */
const HEADER_BYTES = 1 + 1 + 2 + 3 * 8;

/** Encodes the most frequent message by far: as short as it can be, and read without JSON. */
export function encodeBeat({ nodeId, incarnation, reportSeq, sentAt, appliedSeq }: Beat): Buffer {
  const node = Buffer.from(nodeId, 'utf8');
  const start = Buffer.alloc(HEADER_BYTES);
  start.writeUInt8(BEAT, 0);
  start.writeUInt8(WRITTEN_VERSION, 1);
  start.writeUInt16BE(node.length, 2);
  [reportSeq, sentAt, appliedSeq].forEach((value, at) => start.writeDoubleBE(value, 4 + 8 * at));
  return Buffer.concat([start, node, Buffer.from(incarnation, 'utf8')]);
}

export function isBeat(body: Buffer): boolean {
  return body[0] === BEAT;
}

/**
 * Checks a beat. The other functions read what this one has checked.
 *
 * @returns the bytes of the node id
 * @throws MalformedMessageError
 */
export function requireBeat(body: Buffer): number {
  const version = body[1] ?? 0;
  if (version < WRITTEN_VERSION || version > PROTOCOL_VERSION) {
    const reason = `its version is ${version}, this node reads versions up to ${PROTOCOL_VERSION}`;
    throw new MalformedMessageError('reports', reason);
  }
  const nodeBytes = body.length < HEADER_BYTES ? Infinity : body.readUInt16BE(2);
  if (HEADER_BYTES + nodeBytes >= body.length) throw new MalformedMessageError('reports', 'its beat lacks a part');
  if (!Number.isSafeInteger(reportSeqOf(body)) || !Number.isFinite(sentAtOf(body)) || !Number.isSafeInteger(appliedSeqOf(body))) {
    throw new MalformedMessageError('reports', 'its beat has a number that is none');
  }
  return nodeBytes;
}

export function reportSeqOf(body: Buffer): number {
  return body.readDoubleBE(4);
}

export function sentAtOf(body: Buffer): number {
  return body.readDoubleBE(12);
}

export function appliedSeqOf(body: Buffer): number {
  return body.readDoubleBE(20);
}

/** Returns the node id with the incarnation behind it. */
export function senderOf(body: Buffer): string {
  return body.toString('utf8', HEADER_BYTES);
}

/** @throws MalformedMessageError */
export function decodeBeat(body: Buffer): Beat {
  const nodeEnd = HEADER_BYTES + requireBeat(body);
  return {
    nodeId: body.toString('utf8', HEADER_BYTES, nodeEnd),
    incarnation: body.toString('utf8', nodeEnd),
    reportSeq: reportSeqOf(body),
    sentAt: sentAtOf(body),
    appliedSeq: appliedSeqOf(body),
  };
}
