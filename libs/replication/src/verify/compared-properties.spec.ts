import { describe, expect, it } from '@jest/globals';
import { comparedProperties } from './compared-properties.js';
import { differencesBetween, fingerprintOf } from './fingerprint.js';

const block = (...properties: readonly (readonly [string, string])[]): Buffer =>
  Buffer.from(properties.map(([name, value]) => `${name}\u0001${value}\u0002`).join(''));

const differences = (one: Buffer, other: Buffer): readonly string[] => {
  const [source, copy] = [one, other].map((bytes) =>
    fingerprintOf({ body: Buffer.from('x'), flag: 0, properties: comparedProperties(bytes) }),
  );
  return source === undefined || copy === undefined ? ['none'] : differencesBetween(source, copy);
};

describe('the properties that are compared', () => {
  it('leave out the stamp, the born time and what brokers set, and nothing of users and consumers', () => {
    const own = block(['UNIQ_KEY', 'u'], ['TAGS', 't'], ['KEYS', 'a b'], ['sluice-hops', 'a'], ['own', 'x'], ['sluice-was-DELAY', '3']);
    const set = block(
      ['sluice-p', 'stamp'],
      ['sluice-born', 'kx'],
      ['CLUSTER', 'c'],
      ['MSG_REGION', 'r'],
      ['TRACE_ON', 'true'],
      ['WAIT', 'true'],
    );
    expect(differences(own, Buffer.concat([set, own, block(['__RMQ.TRANSIENT.x', '1'], ['__CRC32#', '7'], ['INNER_NUM', '1'])]))).toEqual(
      [],
    );
    for (const name of ['UNIQ_KEY', 'TAGS', 'KEYS', 'sluice-hops', 'own', 'sluice-was-DELAY']) {
      expect(differences(own, Buffer.concat([own, block([name, 'changed'])]))).toEqual([name]);
    }
  });

  it('are read as RocketMQ reads them: in any order, the last of a name, none without a name or value', () => {
    expect(
      differences(block(['a', '1'], ['b', '2']), Buffer.from('b\u00019\u0002b\u00012\u0002\u0001x\u0002c\u0001\u0002d\u0002a\u00011')),
    ).toEqual([]);
  });

  it('differ also in bytes that are no text, and in names beyond ASCII', () => {
    const [one, other] = [0xfe, 0xff].map((byte) => Buffer.from([0x61, 1, byte, 2]));
    expect(differences(one ?? Buffer.alloc(0), other ?? Buffer.alloc(0))).toEqual(['a']);
    expect(differences(block(['größe', '1']), block(['größe', '2']))).toEqual(['größe']);
  });

  it('do not run together: a name is no part of the value before it', () => {
    expect(differences(block(['a', 'bc']), block(['ab', 'c']))).toEqual(['a', 'ab']);
  });
});
