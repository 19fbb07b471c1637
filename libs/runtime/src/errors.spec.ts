import { describe, expect, it } from '@jest/globals';
import { isConnectError } from '@sluice/sdk';
import { UnknownPluginError } from './plugins/plugin-registry.js';
import { QueueReadFailure } from './ports/queue-messages.port.js';
import { SendFailure } from './ports/record-producer.port.js';
import { isLasting } from './retry/restart-policy.js';
import { BadRecordError } from './sink/queue-intake.js';
import { FilterStateError } from './task/stream-filter.js';
import { NoQueueError, QueueLostError } from './source/writable-queues.js';
import { SupersededError } from './task/superseded-error.js';

const queue = { topic: 't', brokerName: 'b', queueId: 0 };

describe('the errors of the runtime', () => {
  it.each([
    [new SendFailure('refused', { outcome: 'not-stored', retriable: true }), true, false],
    [new SendFailure('refused', { outcome: 'not-stored', retriable: false }), false, false],
    [new QueueReadFailure('no answer', { reason: 'unavailable', retriable: true }), true, false],
    [new NoQueueError('t'), true, false],
    [new QueueLostError({ queue, state: 'unavailable', forMs: 1000, limitMs: 1000, isOverdue: true, others: [] }), false, false],
    [SupersededError.ofSink(), false, false],
    [new BadRecordError(queue, 3, new Error('not a text')), false, true],
    [new FilterStateError('damaged'), false, true],
    [new UnknownPluginError('Nope', []), false, true],
  ])('have one root with a code: %s (retriable: %s, for good: %s)', (error, retriable, isForGood) => {
    expect(isConnectError(error)).toBe(true);
    expect(error).toMatchObject({ name: error.constructor.name, code: expect.stringMatching(/^CONNECT_/), retriable });
    expect(isLasting(error)).toBe(isForGood);
  });

  it('say of a sink that another runner may have run that it restarts by itself, and what its target may get', () => {
    expect(SupersededError.ofSink().message).toMatch(/restarts by itself at the offsets .* no record; .* may get some twice$/);
  });
});
