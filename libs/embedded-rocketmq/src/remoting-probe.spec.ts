import { describe, expect, it } from '@jest/globals';
import { decodeResponse, encodeProbeRequest, keysOfTable, parseBrokerTable, parseSyncState } from './remoting-probe.js';

describe('the remoting frame', () => {
  it('carries its length, the length of its JSON header and the code', () => {
    const frame = encodeProbeRequest(106);
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    expect(frame.readInt32BE(4)).toBe(frame.length - 8);
    expect(JSON.parse(frame.toString('utf8', 8))).toMatchObject({ code: 106, flag: 0 });
  });

  it('carries a body behind its header', () => {
    const frame = encodeProbeRequest(1006, Buffer.from('["x"]'));
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    expect(frame.toString('utf8', 8 + frame.readInt32BE(4))).toBe('["x"]');
  });

  it('is read only once it is whole', () => {
    const header = Buffer.from('{"code":0,"flag":1}');
    const prefix = Buffer.alloc(8);
    prefix.writeInt32BE(4 + header.length + 2, 0);
    prefix.writeInt32BE(header.length, 4);
    const frame = Buffer.concat([prefix, header, Buffer.from('{}')]);
    for (let length = 0; length < frame.length; length++) expect(decodeResponse(frame.subarray(0, length))).toBeUndefined();
    expect(decodeResponse(frame)).toEqual({ code: 0, body: '{}' });
  });
});

describe('parseBrokerTable', () => {
  it('reads the bare numbers that fastjson writes as keys, and leaves ports in addresses alone', () => {
    const body =
      '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911",1:"127.0.0.1:10921"},"brokerName":"broker-a","cluster":"a"}},"clusterAddrTable":{"a":["broker-a"]}}';
    expect(parseBrokerTable(body)).toEqual(
      new Map([
        [
          'broker-a',
          new Map([
            [0, '127.0.0.1:10911'],
            [1, '127.0.0.1:10921'],
          ]),
        ],
      ]),
    );
  });

  it('is empty while the name server knows nobody', () => {
    expect(parseBrokerTable('{"brokerAddrTable":{},"clusterAddrTable":{}}').size).toBe(0);
  });
});

describe('parseSyncState', () => {
  it('reports the master and who is in sync', () => {
    const body =
      '{"replicasInfoTable":{"x":{"inSyncReplicas":[{"alive":true,"brokerAddress":"127.0.0.1:1","brokerId":1,"brokerName":"x"}],"masterAddress":"127.0.0.1:1","masterBrokerId":1,"masterEpoch":1,"notInSyncReplicas":[{"alive":true,"brokerAddress":"127.0.0.1:2","brokerId":2,"brokerName":"x"}],"syncStateSetEpoch":1}}}';
    expect(parseSyncState(body, 'x')).toEqual({ masterAddress: '127.0.0.1:1', inSyncAddresses: ['127.0.0.1:1'] });
  });

  it('has neither for a broker that the controller does not know', () => {
    expect(parseSyncState('{"replicasInfoTable":{}}', 'x')).toEqual({ masterAddress: undefined, inSyncAddresses: [] });
  });
});

describe('keysOfTable', () => {
  it('reads the names of a table', () => {
    const body = '{"dataVersion":{"counter":2},"topicConfigTable":{"orders":{"topicName":"orders"},"paid":{}}}';
    expect(keysOfTable(body, 'topicConfigTable')).toEqual(['orders', 'paid']);
    expect(keysOfTable('{"dataVersion":{}}', 'topicConfigTable')).toEqual([]);
  });
});
