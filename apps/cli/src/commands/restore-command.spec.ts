import { describe, expect, it } from '@jest/globals';
import { emptyState } from '@sluice/core';
import type { RestorePlan } from '@sluice/node';
import { describePlan } from './restore-command.js';

describe('the plan of a restore, for people', () => {
  const plan: RestorePlan = {
    clusterId: 'c',
    brokerName: 'b',
    missingTopics: [],
    log: { directory: '/nowhere', writtenAt: new Date(0), state: emptyState(), positions: [], groups: {} },
    lastOffset: -1,
    positions: [],
    offsets: [],
    offsetsWithoutQueue: [],
  };

  it('names the offsets that the broker lost together with their queues', () => {
    const offset = {
      group: 'g',
      queue: { topic: 'lines', brokerName: 'broker-local', queueId: 0 },
      nextOffset: 187_021,
    };
    expect(describePlan({ ...plan, offsetsWithoutQueue: [offset] })).toContain(
      'offsets of sinks that the broker has lost: 0\n' +
        '  offsets of sinks that are NOT restored, because their queue is not there or ends before them: 1 (lines@broker-local:0: 187021)',
    );
    expect(describePlan(plan)).not.toContain('NOT restored');
  });
});
