import { describe, expect, it } from '@jest/globals';
import { queueKey } from '@sluice/sdk';
import * as fc from 'fast-check';
import { linksIn, linksText, parseQueueKey, type QueueLink, QUEUES_SETTING } from './queue-links.js';

const link = (topic: string, broker: string, id: number, target: string, targetId: number, start = 0): QueueLink => ({
  source: { topic, brokerName: broker, queueId: id },
  target: { topic: `to-${topic}`, brokerName: target, queueId: targetId },
  start,
});

describe('the queues of a task', () => {
  it('are written as runs of ids', () => {
    const links = [0, 1, 2, 3].map((id) => link('orders', 'a', id, 'x', id + 4, 7));
    expect(linksText(links)).toBe('[["orders","to-orders",[["a",0,"x",4,4,7]]]]');
  });

  it('begin another run where broker, id, target or start do not continue', () => {
    const links = [
      link('t', 'a', 0, 'x', 0),
      link('t', 'b', 1, 'x', 1),
      link('t', 'b', 3, 'x', 2),
      link('t', 'b', 4, 'y', 3),
      link('t', 'b', 5, 'y', 5),
      link('t', 'b', 6, 'y', 6, 1),
      link('u', 'b', 7, 'y', 7, 1),
    ];
    expect(linksText(links)).toBe(
      '[["t","to-t",[["a",0,"x",0,1,0],["b",1,"x",1,1,0],["b",3,"x",2,1,0],["b",4,"y",3,1,0],["b",5,"y",5,1,0],["b",6,"y",6,1,1]]],["u","to-u",[["b",7,"y",7,1,1]]]]',
    );
  });

  it('are read as they were written', () => {
    const name = fc.constantFrom('a', 'b', 'topic-%1', 'broker_2');
    const links = fc.array(fc.tuple(name, name, fc.nat(5), name, fc.nat(5), fc.nat(2)).map((of) => link(...of)));
    fc.assert(
      fc.property(links, (given) => {
        expect(linksIn({ [QUEUES_SETTING]: linksText(given) })).toEqual(given);
      }),
    );
  });

  it.each([
    undefined,
    '',
    '{}',
    '[["t"]]',
    '[["t","u",[["a",0,"x",0,1]]]]',
    '[["t","u",[["a",-1,"x",0,1,0]]]]',
    '[["t","u",[["a",0,1,0,1,0]]]]',
  ])('are not %p', (text) => {
    expect(() => linksIn(text === undefined ? {} : { [QUEUES_SETTING]: text })).toThrow(
      /sluice\.task\.queues is .*; expected are the queues/,
    );
  });
});

describe('the text of a queue', () => {
  it.each([
    { topic: 't', brokerName: 'broker-a', queueId: 0 },
    { topic: 'INST%t', brokerName: 'a:b@c', queueId: 12 },
  ])('is read again: %j', (queue) => {
    expect(parseQueueKey(queueKey(queue))).toEqual(queue);
  });

  it.each(['', 'begun', '@b:0', 't@:0', 't@b', 't@b:', 't@b:x', 't@b:-1', 't@b:1234567890'])('is not %p', (text) => {
    expect(parseQueueKey(text)).toBeUndefined();
  });
});
