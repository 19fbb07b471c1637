import { describe, expect, it } from '@jest/globals';
import { letterMessage, QUEUE, SINK_CONTEXT } from '../testing/letter-message.js';
import { readLetter, type Letter } from './letter.js';
import { listedLetter } from './list-letters.js';
import { listAsJson, listAsTable, printedJson, type BodyForm, shownAsText, shownLetter, type ShownLetter } from './letter-text.js';

const ESCAPE = '\u001b[31m';

function letterOf(properties: Readonly<Record<string, string>>, body?: Buffer): Letter {
  const letter = readLetter(QUEUE, letterMessage(properties, body === undefined ? {} : { body }));
  if (letter === undefined) throw new Error('no letter');
  return letter;
}

const NO_FILTER = { stages: [], classes: [], connectors: [], fromMs: undefined, toMs: undefined };
const OPEN = { filter: NO_FILTER, isAll: false };

const shown = (body: Buffer, form: BodyForm = 'auto'): ShownLetter['body'] => shownLetter(letterOf({}, body), false, form).body;

describe('a list of dead letters', () => {
  const listed = listedLetter(letterOf(SINK_CONTEXT), false);
  const list = { letters: [listed], isCut: true, unreadable: [{ queue: QUEUE, offset: 4 }] };

  it('has a line for each letter', () => {
    const lines = listAsTable('orders-dead', list, OPEN).split('\n');
    expect(lines[1]?.split(/ {2,}/)).toEqual([
      'broker-a/3',
      '8',
      '1970-01-01T00:00:02.000Z',
      'orders-out-2',
      'VALUE_CONVERTER',
      'ConversionError',
      '0',
      'open',
      'The bytes are not JSON',
    ]);
    expect(lines.slice(2)).toEqual(['broker-a/3 offset 4 cannot be read', 'There are more than these 1: --limit N shows more']);
  });

  it('cuts messages, and shows a terminal nothing to act on', () => {
    const message = `${ESCAPE}${'x'.repeat(200)}`;
    const letter = letterOf({ ...SINK_CONTEXT, '__connect.errors.exception.message': message });
    const text = listAsTable('orders-dead', { ...list, letters: [listedLetter(letter, true)] }, OPEN);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('\\u001b[31mxxx');
    expect(text).toContain('xxx...\n');
    expect(text).not.toContain('x'.repeat(101));
  });

  it('cuts names, so that one letter does not widen each line', () => {
    const wide = letterOf({ ...SINK_CONTEXT, '__connect.errors.exception.class.name': 'E'.repeat(30_000) });
    const text = listAsTable('orders-dead', { ...list, letters: [listedLetter(wide, false), ...list.letters] }, OPEN);
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(300);
  });

  it('may have as many lines as --limit asks for', () => {
    const letters = Array.from({ length: 150_000 }, () => listed);
    expect(listAsTable('orders-dead', { ...list, letters }, OPEN).split('\n')).toHaveLength(150_003);
  });

  it('says why it is empty', () => {
    const none = { letters: [], isCut: false, unreadable: [] };
    const filter = { ...NO_FILTER, stages: ['TASK_PUT'] };
    expect(listAsTable('orders-dead', none, OPEN)).toBe('No open letters in topic orders-dead; --all shows redriven ones');
    expect(listAsTable('orders-dead', none, { ...OPEN, isAll: true })).toBe('Topic orders-dead holds no letters');
    expect(listAsTable('orders-dead', none, { filter, isAll: false })).toBe('No open letter of topic orders-dead passes the filters');
    expect(listAsTable('orders-dead', none, { filter, isAll: true })).toBe('No letter of topic orders-dead passes the filters');
  });

  it('keeps nothing of the message but what it shows', () => {
    expect(listedLetter(letterOf({ ...SINK_CONTEXT, 'sluice-key': 'k', origin: 'shop' }, Buffer.alloc(1000, 'x')), false)).toEqual({
      queue: 'broker-a/3',
      offset: 8,
      storedAt: 2000,
      connector: 'orders-out',
      task: '2',
      stage: 'VALUE_CONVERTER',
      exceptionClass: 'ConversionError',
      message: 'The bytes are not JSON',
      redrives: 0,
      isRedriven: false,
    });
  });

  it('is an object in JSON', () => {
    expect(listAsJson('orders-dead', list)).toMatchObject({
      topic: 'orders-dead',
      letters: [{ queue: 'broker-a/3', offset: 8, connector: 'orders-out', task: '2', redrives: 0, isRedriven: false }],
      isCut: true,
      unreadable: [{ queue: 'broker-a/3', offset: 4 }],
    });
  });
});

describe('a dead letter that is shown', () => {
  it('has context, key, headers and attributes apart', () => {
    const properties = { ...SINK_CONTEXT, KEYS: 'order-7', TAGS: 'paid', origin: 'shop', 'sluice-key': 'k', 'sluice-redriven': '2' };
    const letter = shownLetter(letterOf(properties), true, 'auto');
    expect(letter).toMatchObject({
      redrives: 2,
      isRedriven: true,
      key: 'k',
      tag: 'paid',
      keys: ['order-7'],
      headers: [{ key: 'origin', value: 'shop' }],
      body: { form: 'text', bytes: 7, text: 'no json' },
    });
    expect(letter.context).toMatchObject({ topic: 'orders', 'exception.message': 'The bytes are not JSON' });
    expect(letter.headers).toHaveLength(1);
    expect(shownAsText('orders-dead', letter)).toContain('headers\n  origin: shop\nbody, 7 bytes as text\nno json');
  });

  it('shows JSON with all digits, bytes in hexadecimal digits, and null', () => {
    expect(shown(Buffer.from('{"a":12345678901234567890,"b":[1.50]}'))).toEqual({
      form: 'json',
      bytes: 37,
      text: '{\n  "a": 12345678901234567890,\n  "b": [\n    1.50\n  ]\n}',
    });
    expect(shown(Buffer.from([0xff, 0]))).toEqual({ form: 'hex', bytes: 2, text: 'ff00' });
    expect(shown(Buffer.from('12'), 'hex').text).toBe('3132');
    expect(shown(Buffer.from('12'), 'json')).toMatchObject({ form: 'json', text: '12' });
    expect(shownLetter(letterOf({ 'sluice-null': 'v' }, Buffer.from([0])), false, 'auto').body.form).toBe('null');
  });

  it('says where the body has another form than the one that is asked for', () => {
    expect(() => shown(Buffer.from('no json'), 'json')).toThrow('The body is no JSON');
    expect(() => shown(Buffer.from(`${ESCAPE}no json`), 'json')).not.toThrow('\u001b');
    expect(() => shown(Buffer.from([0xff]), 'text')).toThrow('The body is no text in UTF-8. --body takes hex');
  });

  it('shows a terminal nothing to act on in names, and in JSON', () => {
    const letter = shownLetter(
      letterOf({ ...SINK_CONTEXT, [`__connect.errors.x${ESCAPE}`]: '\u009b2J\u2028', [`h${ESCAPE}`]: 'v' }),
      false,
      'auto',
    );
    expect(shownAsText('orders-dead', letter)).toContain('  x\\u001b[31m: \\u009b2J\\u2028\n');
    // eslint-disable-next-line no-control-regex -- a terminal acts on them
    const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028]/;
    expect(shownAsText('orders-dead', letter)).not.toMatch(control);
    expect(printedJson(letter)).not.toMatch(control);
    expect(JSON.parse(printedJson(letter))).toEqual(letter);
  });

  it('shows a terminal nothing to act on, and keeps the lines of a text', () => {
    const letter = shownLetter(letterOf(SINK_CONTEXT, Buffer.from(`one\n${ESCAPE}two`)), false, 'text');
    expect(shownAsText('orders-dead', letter)).toContain('one\n\\u001b[31mtwo');
  });
});
