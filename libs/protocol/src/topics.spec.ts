import { describe, expect, it } from '@jest/globals';
import {
  ClusterIdError,
  clientIdOf,
  groupNamePart,
  isSameCluster,
  positionsQueueOf,
  reportsQueueOf,
  sinkGroupOf,
  topicsOf,
} from './topics.js';

describe('topics', () => {
  it('derives every name from the id of the Connect cluster', () => {
    const topics = topicsOf('main');
    expect(Object.values(topics).map((topic) => (topic as { name: string; queues: number }).name)).toEqual([
      'sluice-main-log',
      'sluice-main-commands',
      'sluice-main-reports',
      'sluice-main-positions',
      'sluice-main-rpc',
    ]);
    expect(topics.log.queues).toBe(1);
  });

  it('refuses an id that RocketMQ would not take in a name', () => {
    expect(() => topicsOf('a b')).toThrow(ClusterIdError);
    expect(() => topicsOf('')).toThrow('allowed are 1 to 40 letters');
  });

  it('keeps the queue of a node and of a connector the same', () => {
    const topics = topicsOf('main');
    expect(reportsQueueOf('node-1', topics)).toBe(2);
    expect(positionsQueueOf('lines', topics)).toBe(1);
  });

  it('makes client ids that show which clients are of the same Connect cluster', () => {
    const own = clientIdOf('main', { nodeId: 'w1', incarnation: 'i1' });
    const ids = [clientIdOf('main', { nodeId: 'w2', incarnation: 'i2' }), 'sluice-main2@w2@i2', '10.0.0.1@app', ''];
    expect(ids.map((id) => isSameCluster(own, id))).toEqual([true, false, false, false]);
  });

  it('makes group names that RocketMQ takes and that differ for different connectors', () => {
    expect(groupNamePart('a.b c/é')).toBe('a_2e_b_20_c_2f__e9_');
    expect(sinkGroupOf('c', 'a.b')).not.toBe(sinkGroupOf('c', 'a_2e_b'));
    expect(groupNamePart('my_sink-2_x')).toBe('my_sink-2_x');
    expect(groupNamePart('a_2e_b')).toBe('a_5f_2e_b');
    const long = sinkGroupOf('c', 'x'.repeat(300));
    expect(long.length).toBeLessThanOrEqual(120);
    expect(long).not.toBe(sinkGroupOf('c', 'x'.repeat(301)));
  });

  it('makes a different group name of every text, also where texts look like the codes in names', () => {
    const parts = ['_', '2', 'e', '.', 'x'];
    let texts = [''];
    for (let length = 0; length < 6; length++) texts = texts.flatMap((text) => parts.map((part) => text + part));
    expect(new Set(texts.map(groupNamePart)).size).toBe(texts.length);
  });
});
