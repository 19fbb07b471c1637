import { describe, expect, it } from '@jest/globals';
import { letterMessage, QUEUE, SINK_CONTEXT, SOURCE_CONTEXT } from '../testing/letter-message.js';
import { readLetter, type Letter, type LetterMessage } from './letter.js';
import { planLetter, type LetterPlan, type RedriveRules } from './plan-letter.js';

const RULES: RedriveRules = { topic: 'orders-dead', to: undefined, sourceLetters: 'refuse', maxRedrives: 5 };

function letterOf(properties: Readonly<Record<string, string>>, message: Partial<LetterMessage> = {}): Letter {
  const letter = readLetter(QUEUE, letterMessage(properties, message));
  if (letter === undefined) throw new Error('no letter');
  return letter;
}

function sent(plan: LetterPlan): { readonly topic: string; readonly properties: Record<string, string> } {
  if (plan.kind !== 'send') throw new Error(`left: ${plan.reason}`);
  const pairs = plan.message.properties.split('\u0002').filter((pair) => pair !== '');
  return { topic: plan.topic, properties: Object.fromEntries(pairs.map((pair) => pair.split('\u0001') as [string, string])) };
}

describe('the plan for a dead letter', () => {
  it('puts a sink’s message back as its producer sent it, into the queue that it came from', () => {
    const written = { KEYS: 'order-7', TAGS: 'paid', origin: 'shop', UNIQ_KEY: 'id', 'sluice-key': 'order-7', 'sluice-ts': '5' };
    const ofBrokers = { CLUSTER: 'c', MSG_REGION: 'r', TRACE_ON: 'true', WAIT: 'true' };
    const stamps = { 'sluice-p': 'a stamp', ...SINK_CONTEXT, '__connect.errors.cut': 'exception.stacktrace' };
    const plan = planLetter(letterOf({ ...written, ...ofBrokers, ...stamps }), RULES);
    expect(plan).toMatchObject({
      kind: 'send',
      queue: { topic: 'orders', brokerName: 'broker-b', queueId: 5 },
      message: { body: Buffer.from('no json'), sysFlag: 0, flag: 9, bornAt: 1_000 },
    });
    expect(sent(plan)).toEqual({ topic: 'orders', properties: { ...written, 'sluice-redriven': '1' } });
  });

  it('keeps a compressed body as it is stored', () => {
    const compressed = { body: Buffer.from('squeezed'), sysFlag: 0x301 };
    expect(planLetter(letterOf(SINK_CONTEXT, { compressed }), RULES)).toMatchObject({ message: compressed });
  });

  it('counts the redrives of a record, and leaves it when it was redriven often enough', () => {
    const again = (times: string): LetterPlan => planLetter(letterOf({ ...SINK_CONTEXT, 'sluice-redriven': times }), RULES);
    expect(sent(again('4')).properties['sluice-redriven']).toBe('5');
    expect(again('5')).toEqual({ kind: 'left', reason: 'redriven-too-often', detail: '5 times' });
    expect(again('many')).toMatchObject({ kind: 'send' });
  });

  it('sends all letters where --to says, to no queue of another topic', () => {
    const plan = planLetter(letterOf(SINK_CONTEXT), { ...RULES, to: 'repaired' });
    expect(plan).toMatchObject({ kind: 'send', topic: 'repaired', queue: undefined });
    expect(planLetter(letterOf({ origin: 'shop' }), { ...RULES, to: 'repaired' })).toMatchObject({ kind: 'send', topic: 'repaired' });
  });

  it.each([
    ['has no context', {}],
    ['does not say who wrote it', { '__connect.errors.topic': 'orders' }],
    ['holds only a part of its topic’s name', { ...SINK_CONTEXT, '__connect.errors.cut': 'topic,offset' }],
  ])('guesses no topic of a letter that %s', (_, properties) => {
    expect(planLetter(letterOf(properties), RULES)).toEqual({ kind: 'left', reason: 'without-topic' });
  });

  it.each([
    ['orders-dead', 'is the dead letter topic itself'],
    ['sluice-prod-log', 'is a control topic of Sluice'],
    ['rmq_sys_x', 'belongs to RocketMQ itself'],
    ['ord ... cut, it has 9 bytes', 'cannot exist'],
  ])('sends nothing to topic %s', (topic, problem) => {
    const plan = planLetter(letterOf({ ...SINK_CONTEXT, '__connect.errors.topic': topic }), RULES);
    expect(plan).toMatchObject({ kind: 'left', reason: 'wrong-topic', detail: expect.stringContaining(problem) });
  });

  it('sends letters of sources only on request, and in no queue of a sink', () => {
    const letter = letterOf(SOURCE_CONTEXT, { body: Buffer.from('{"schema":null,"payload":1}') });
    expect(planLetter(letter, RULES)).toEqual({ kind: 'left', reason: 'of-a-source' });
    expect(planLetter(letter, { ...RULES, sourceLetters: 'as-json' })).toMatchObject({
      kind: 'send',
      topic: 'numbers',
      queue: undefined,
      message: { body: Buffer.from('{"schema":null,"payload":1}') },
    });
  });

  it('sends no letter that lacks a part of its record', () => {
    const omitted = { '__connect.errors.omitted': 'the value, which has 5 bytes', 'sluice-null': 'v' };
    const expected = { kind: 'left', reason: 'incomplete', detail: 'the value, which has 5 bytes' };
    expect(planLetter(letterOf({ ...SINK_CONTEXT, ...omitted }), RULES)).toEqual(expected);
    expect(planLetter(letterOf(omitted), { ...RULES, to: 'repaired' })).toEqual(expected);
  });
});

describe('a message of a dead letter topic', () => {
  it('that is a barrier holds no record', () => {
    const barrier = { 'sluice-b': 'abcdefgh.abcde.1' };
    expect(readLetter(QUEUE, letterMessage(barrier, { body: Buffer.from([0]) }))).toBeUndefined();
    expect(readLetter(QUEUE, letterMessage(barrier))).toBeDefined();
  });
});
