import { describe, expect, it } from '@jest/globals';
import { decodeResponse, encodeRequest, isRegistered } from './remoting-probe.js';

describe('the remoting frame', () => {
  it('carries its length, the length of its JSON header and the code', () => {
    const frame = encodeRequest(106);
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    expect(frame.readInt32BE(4)).toBe(frame.length - 8);
    expect(JSON.parse(frame.toString('utf8', 8))).toMatchObject({ code: 106, flag: 0 });
  });

  it('is read only once it is whole', () => {
    const header = Buffer.from('{"code":0,"flag":1}');
    const prefix = Buffer.alloc(8);
    prefix.writeInt32BE(4 + header.length + 2, 0);
    prefix.writeInt32BE(header.length, 4);
    const frame = Buffer.concat([prefix, header, Buffer.from('{}')]);
    for (let length = 0; length < frame.length; length++)
      expect(decodeResponse(frame.subarray(0, length))).toBeUndefined();
    expect(decodeResponse(frame)).toEqual({ code: 0, body: '{}' });
  });
});

describe('isRegistered', () => {
  const info =
    '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"broker-a","cluster":"a"}},"clusterAddrTable":{"a":["broker-a"]}}';

  it('is true for the name and address that the namesrv knows', () => {
    expect(isRegistered(info, 'broker-a', '127.0.0.1:10911')).toBe(true);
  });

  it('is false for another address or a name that is only the start of a known one', () => {
    expect(isRegistered(info, 'broker-a', '127.0.0.1:1091')).toBe(false);
    expect(isRegistered(info, 'broker', '127.0.0.1:10911')).toBe(false);
  });
});
