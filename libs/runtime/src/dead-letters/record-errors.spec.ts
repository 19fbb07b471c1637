import { describe, expect, it } from '@jest/globals';
import { forEachProperty } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { newTaskCounters } from '../ports/task-counters.port.js';
import { letterOfMessage, withoutParts, withoutValue } from './dead-letter.js';
import { RecordErrors } from './record-errors.js';
import { RecordFailure } from './record-failure.js';

const hide = (text: string): string => text.replaceAll('s3cret-of-the-database', '[hidden]');

function newErrors(lines: string[]): RecordErrors {
  const errors = { logs: true, logsContents: true, deadLetters: { topic: 'dead', hasContext: true } };
  const spec = { connector: 'c', index: 0, config: {}, settings: { errors }, counters: newTaskCounters(), hide };
  const policy = (): object => ({});
  return new RecordErrors({ spec, ports: {}, policy, skips: { write: (text: string) => lines.push(hide(text)) } } as never);
}

describe('the report of a record', () => {
  it('shows no part of a secret that its limit cuts', () => {
    const lines: string[] = [];
    newErrors(lines).log(new ConnectError(ConnectErrorCode.sinkFailed, 'no'), () => `${'x'.repeat(990)}s3cret-of-the-database`);
    expect(lines[0]).toContain('xxx');
    expect(lines[0]).not.toContain('s3cret');
  });

  it('is written also where what is in the record cannot be shown', () => {
    const lines: string[] = [];
    newErrors(lines).log(new ConnectError(ConnectErrorCode.sinkFailed, 'no'), () => {
      throw new Error('a getter');
    });
    expect(lines).toEqual(['A record was skipped. no. What is in it cannot be shown']);
  });

  it('has no secret in the place of a source', () => {
    const place = { topic: 't', sourcePartition: '{"url":"s3cret-of-the-database"}', sourcePosition: '"s3cret-of-the-database"' };
    const text = newErrors([]).contextOf(new RecordFailure('TASK_POLL', 'x', new Error('no')), place)('');
    expect(text).toContain('{"url":"[hidden]"}');
    expect(text).not.toContain('s3cret');
  });
});

describe('a letter that a broker refuses', () => {
  it('loses its value first, then all but its context', () => {
    const context = '__connect.errors.stage\u0001TASK_PUT\u0002';
    const rawProperties = Buffer.from('mine\u0001m\u0002');
    const body = Buffer.from('value');
    const propertiesBytes = rawProperties.length;
    const message = { body, bodyBytes: 5, rawProperties, propertiesBytes, queueOffset: 0, bornTimestamp: 1, storeTimestamp: 2 };
    const first = withoutValue(letterOfMessage(message, () => context));
    const second = withoutParts(first);
    const shown = [first, second].map(({ properties }) => {
      const found: Record<string, string> = {};
      forEachProperty(Buffer.from(properties), (name, value) => (found[name] = value));
      return found;
    });
    expect(shown).toEqual([
      {
        mine: 'm',
        '__connect.errors.stage': 'TASK_PUT',
        'sluice-null': 'v',
        '__connect.errors.omitted': 'the value, which has 5 bytes: the broker refuses it',
      },
      { '__connect.errors.stage': 'TASK_PUT', 'sluice-null': 'v', '__connect.errors.omitted': 'all parts: the broker refuses them' },
    ]);
    expect(second.body).toEqual(Buffer.from([0]));
  });
});
