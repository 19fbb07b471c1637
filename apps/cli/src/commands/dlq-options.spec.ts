import { describe, expect, it } from '@jest/globals';
import { listArguments, redriveArguments, showArguments } from './dlq-options.js';

const TOPIC = ['--topic', 'orders-dead'];

describe('the options of sluice dlq', () => {
  it('have defaults that leave nothing out and send without haste to an end', () => {
    expect(listArguments(TOPIC)).toMatchObject({ topic: 'orders-dead', output: 'table', limit: 100, isAll: false, side: undefined });
    expect(redriveArguments(TOPIC)).toMatchObject({
      rules: { topic: 'orders-dead', to: undefined, sourceLetters: 'refuse', maxRedrives: 5 },
      filter: { stages: [], classes: [], connectors: [], fromMs: undefined, toMs: undefined },
      limit: Infinity,
      ratePerSecond: Infinity,
      isDryRun: false,
    });
  });

  it('are read', () => {
    const filters = ['--stage', 'TASK_PUT', '--stage', 'TASK_POLL', '--class', 'A', '--connector', 'c'];
    const times = ['--from-time', '2026-07-01', '--to-time', '2026-07-01T02:00:00.500+02:00'];
    const others = ['--to', 'orders', '--source-letters', 'as-json', '--max-redrives', '2', '--rate', '50', '--limit', '7', '--dry-run'];
    expect(redriveArguments([...TOPIC, ...filters, ...times, ...others, '--output', 'json', '--side', 'source', '-c', 'x.conf'])).toEqual({
      config: 'x.conf',
      topic: 'orders-dead',
      side: 'source',
      output: 'json',
      filter: {
        stages: ['TASK_PUT', 'TASK_POLL'],
        classes: ['A'],
        connectors: ['c'],
        fromMs: Date.UTC(2026, 6, 1),
        toMs: Date.UTC(2026, 6, 1) + 500,
      },
      rules: { topic: 'orders-dead', to: 'orders', sourceLetters: 'as-json', maxRedrives: 2 },
      limit: 7,
      ratePerSecond: 50,
      isDryRun: true,
    });
    expect(showArguments([...TOPIC, '--queue', 'b/c/3', '--offset', '0', '--body', 'hex'])).toMatchObject({
      queue: { brokerName: 'b/c', queueId: 3 },
      offset: 0,
      body: 'hex',
    });
    expect(showArguments([...TOPIC, '--queue', '3', '--offset', '12'])).toMatchObject({ queue: { brokerName: undefined, queueId: 3 } });
  });

  it.each([
    [['--topic'], "Option '--topic <value>' argument missing"],
    [[], '--topic is missing: give the dead letter topic'],
    [['--topic', 'a b'], 'cannot exist'],
    [
      [...TOPIC, '--stge', 'TASK_PUT'],
      '--stge is not an option of `sluice dlq redrive`. Did you mean --stage? Allowed are --config, --topic',
    ],
    [[...TOPIC, '--stage', 'TASK_PUTS'], '--stage is "TASK_PUTS". Did you mean TASK_PUT? Allowed are TASK_POLL, TRANSFORMATION'],
    [[...TOPIC, '--from-time', '2026-07-01T12:00:00'], '--from-time is "2026-07-01T12:00:00"; allowed is a time such as'],
    [[...TOPIC, '--to-time', '2026-13-01'], '--to-time is "2026-13-01"'],
    [[...TOPIC, '--to-time', '2026-02-30'], '--to-time is "2026-02-30"'],
    [[...TOPIC, '--to-time', '2026-02-29'], '--to-time is "2026-02-29"'],
    [[...TOPIC, '--from-time', '2026-04-31T10:00Z'], '--from-time is "2026-04-31T10:00Z"'],
    [
      [...TOPIC, '--from-time', '2026-07-02', '--to-time', '2026-07-01'],
      '--to-time is "2026-07-01"; allowed is a time after --from-time, "2026-07-02"',
    ],
    [[...TOPIC, '--from-time', '2026-07-02', '--to-time', '2026-07-02T02:00+02:00'], '--to-time is "2026-07-02T02:00+02:00"; allowed is'],
    [[...TOPIC, '--to', 'orders-dead'], '--to is "orders-dead": it is the dead letter topic'],
    [[...TOPIC, '--to', 'sluice-c-log'], 'is a control topic of Sluice'],
    [[...TOPIC, '--rate', '0'], '--rate is "0"; allowed are whole numbers from 1'],
    [[...TOPIC, '--limit', '1e3'], '--limit is "1e3"; allowed are whole numbers from 1'],
    [[...TOPIC, '--max-redrives', '-1'], '--max-redrives'],
    [[...TOPIC, '--source-letters', 'as-jason'], 'Did you mean as-json? Allowed are refuse, as-json'],
    [[...TOPIC, '--output', 'xml'], '--output is "xml". Allowed are table, json'],
    [[...TOPIC, '--side', 'both'], '--side is "both". Allowed are sink, source'],
    [[...TOPIC, 'orders'], "Unexpected argument 'orders'"],
  ])('%j are refused by name', (args, message) => {
    expect(() => redriveArguments(args)).toThrow(message);
  });

  it('of show name one letter', () => {
    expect(() => showArguments(TOPIC)).toThrow('--queue is missing: give BROKER/NUMBER, as `sluice dlq list` shows it');
    expect(() => showArguments([...TOPIC, '--queue', 'broker-a', '--offset', '1'])).toThrow(
      '--queue is "broker-a"; allowed is BROKER/NUMBER',
    );
    expect(() => showArguments([...TOPIC, '--queue', '1'])).toThrow('--offset is missing');
  });
});
