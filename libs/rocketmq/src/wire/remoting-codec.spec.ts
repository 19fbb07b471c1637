import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isRocketMqError, MalformedDataError } from '../errors.js';
import { BatchEncoder } from './batch-encoder.js';
import {
  decodeRemotingCommand,
  encodeRequest,
  encodeRequestHead,
  encodeResponse,
  type HeaderFormat,
  type RemotingRequest,
} from './remoting-codec.js';
import { REQUEST_CODE, type RequestCode } from './request-code.js';

/** The frames of code 11, opaque 7, ext {topic: t, queueId: 3} as RocketMQ's own codec wrote them. */
const GOLDEN_JSON =
  '0000008a000000867b22636f6465223a31312c226578744669656c6473223a7b2271756575654964223a2233222c22746f706963223a2274227d2c22666c6167223a302c226c616e6775616765223a224a415641222c226f7061717565223a372c2273657269616c697a655479706543757272656e74525043223a224a534f4e222c2276657273696f6e223a307d';
const GOLDEN_BINARY = '000000330100002f000b0000000000000700000000000000000000001a00077175657565496400000001330005746f7069630000000174';

const FORMATS: readonly HeaderFormat[] = ['json', 'rocketmq'];

function frameOf(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  expect(bytes.readInt32BE(0)).toBe(bytes.length - 4);
  return bytes.subarray(4);
}

describe('remoting codec', () => {
  it.each([
    ['JSON', GOLDEN_JSON],
    ['binary', GOLDEN_BINARY],
  ])('decodes the golden %s frame', (_, hex) => {
    const command = decodeRemotingCommand(frameOf(hex));
    expect(command).toMatchObject({ code: 11, opaque: 7, flag: 0, ext: { topic: 't', queueId: '3' } });
    expect(command.body).toHaveLength(0);
  });

  it('decodes what it encodes, with the body as a view', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          fc.string(),
        ),
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: 0, max: 0x7f_ff_ff_ff }),
        fc.constantFrom(...FORMATS),
        (ext, bytes, opaque, format) => {
          const body = Buffer.from(bytes);
          const head = encodeRequestHead({ code: REQUEST_CODE.PULL_MESSAGE, ext, body }, opaque, format);
          const frame = Buffer.concat([head, body]);
          expect(frame.readInt32BE(0)).toBe(frame.length - 4);
          const command = decodeRemotingCommand(frame.subarray(4));
          expect(command).toMatchObject({ code: 11, opaque, flag: 0 });
          expect({ ...command.ext }).toEqual({ ...ext });
          expect(command.body.equals(body)).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['a short body', Buffer.alloc(100, 1), 1],
    ['a long body', Buffer.alloc(100_000, 1), 2],
    ['no body', undefined, 1],
  ])('writes a request with %s in as few pieces as are worth a copy', (_what, body, pieces) => {
    const request: RemotingRequest = { code: REQUEST_CODE.SEND_MESSAGE_V2, ext: { b: 't' }, ...(body && { body }) };
    const frames = encodeRequest(request, 5, 'json');
    expect(frames).toHaveLength(pieces);
    const expected = Buffer.concat([encodeRequestHead(request, 5, 'json'), body ?? Buffer.alloc(0)]);
    expect(Buffer.concat(frames).equals(expected)).toBe(true);
  });

  it('writes a batch and its head in one piece, and one that is sent twice at once in two', () => {
    const encoder = new BatchEncoder();
    for (let count = 0; count < 20; count += 1) encoder.add(Buffer.alloc(1_000, count), '');
    const { bytes, claimHeadRoom } = encoder.finish();
    const encode = (topic: string): readonly Uint8Array[] =>
      encodeRequest({ code: REQUEST_CODE.SEND_BATCH_MESSAGE, ext: { b: topic }, body: bytes, claimHeadRoom }, 5, 'json');
    const first = encode('first');
    const second = encode('second');
    expect([first.length, second.length]).toEqual([1, 2]);
    for (const [topic, pieces] of Object.entries({ first, second })) {
      const command = decodeRemotingCommand(Buffer.concat(pieces).subarray(4));
      expect(command.ext).toEqual({ b: topic });
      expect(command.body.equals(bytes)).toBe(true);
    }
  });

  it.each(FORMATS)('marks a response in %s as one', (format) => {
    const command = decodeRemotingCommand(encodeResponse(3, 99, 'nö', format).subarray(4));
    expect(command).toMatchObject({ code: 3, opaque: 99, flag: 1, remark: 'nö' });
  });

  it('writes the binary header byte for byte as RocketMQ does', () => {
    const golden = JSON.parse(readFileSync(new URL('./wire-bytes.golden.json', import.meta.url), 'utf8')) as {
      readonly binaryHeader: string;
    };
    const body = Buffer.from('body');
    const request = { code: REQUEST_CODE.PULL_MESSAGE, ext: { queueId: '3', topic: 't' }, body };
    expect(encodeRequestHead(request, 7, 'rocketmq').toString('hex') + body.toString('hex')).toBe(golden.binaryHeader);
  });

  it('writes as JSON what the binary header cannot hold', () => {
    const serializationOf = (code: number, ext: Record<string, string>): number =>
      encodeRequestHead({ code: code as RequestCode, ext }, 1, 'rocketmq').readUInt8(4);
    expect(serializationOf(0x7f_ff, { name: 'v' })).toBe(1);
    expect(serializationOf(0x80_00, { name: 'v' })).toBe(0);
    expect(serializationOf(200_050, {})).toBe(0);
    expect(serializationOf(11, { ['n'.repeat(0x80_00)]: 'v' })).toBe(0);
    expect(decodeRemotingCommand(encodeRequestHead({ code: 200_050, ext: {} }, 1, 'rocketmq').subarray(4))).toMatchObject({
      code: 200_050,
    });
  });

  it('turns fields that are not strings into strings or drops them', () => {
    const json = '{"code":0,"opaque":1,"flag":1,"extFields":{"a":1,"b":true,"c":null,"d":"x","e":{}}}';
    const frame = Buffer.concat([Buffer.alloc(4), Buffer.from(json)]);
    frame.writeInt32BE(json.length, 0);
    expect(decodeRemotingCommand(frame).ext).toEqual({ a: '1', b: 'true', d: 'x' });
  });

  it('refuses a field that goes beyond the length of all fields', () => {
    const frame = Buffer.from(frameOf(GOLDEN_BINARY));
    frame.writeInt32BE(frame.readInt32BE(21) - 1, 21);
    expect(() => decodeRemotingCommand(frame)).toThrow('fields end at 47, not at 46');
  });

  it('answers any bytes with a command or a typed error', () => {
    const golden = fc.constantFrom(frameOf(GOLDEN_JSON), frameOf(GOLDEN_BINARY));
    const mutated = fc
      .tuple(golden, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 }), fc.nat(200))
      .map(([frame, changes, cut]) => {
        const copy = Buffer.from(frame);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return copy.subarray(0, Math.max(0, copy.length - (cut % 3 === 0 ? cut : 0)));
      });
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
        ),
        (frame) => {
          try {
            expect(typeof decodeRemotingCommand(frame).code).toBe('number');
          } catch (error) {
            expect(isRocketMqError(error)).toBe(true);
            expect(error).toBeInstanceOf(MalformedDataError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
