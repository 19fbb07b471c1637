import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseTopicRename, type TopicRename } from './topic-rename.js';

function renameBy(value: string, prefix = ''): TopicRename {
  const parsed = parseTopicRename(value, prefix);
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message);
  return parsed.rename;
}

describe('parseTopicRename', () => {
  it.each([
    ['identity', '', 'orders', 'orders'],
    ['prefix', 'eu-', 'orders', 'eu-orders'],
    ['prefix', 'eu-', 'INST%orders', 'INST%eu-orders'],
    ['prefix', 'eu-', '%RETRY%group', '%RETRY%group'],
    ['prefix', 'eu-', '%DLQ%INST%group', '%DLQ%INST%group'],
    ['${topic}', '', 'orders', 'orders'],
    ['eu-${topic}-copy', '', 'orders', 'eu-orders-copy'],
    ['${topic}_b', '', 'INST%orders', 'INST%orders_b'],
  ])('%s %s: %s becomes %s', (value, prefix, topic, target) => {
    expect(renameBy(value, prefix)(topic)).toBe(target);
  });

  it.each([
    ['identty', '', 'topic.rename', 'Did you mean identity?'],
    ['eu-', '', 'topic.rename', 'with ${topic} once'],
    ['${topic}${topic}', '', 'topic.rename', 'with ${topic} once'],
    ['', '', 'topic.rename', 'with ${topic} once'],
    ['a.${topic}', '', 'topic.rename', 'cannot exist'],
    [`${'x'.repeat(127)}\${topic}`, '', 'topic.rename', '128 characters'],
    ['%RETRY%${topic}', '', 'topic.rename', 'Must not begin with %RETRY%'],
    ['prefix', '', 'topic.rename.prefix', 'Must be given'],
    ['prefix', 'a.', 'topic.rename.prefix', 'cannot exist'],
    ['prefix', '%DLQ%', 'topic.rename.prefix', 'Must not begin with %DLQ%'],
    ['identity', 'eu-', 'topic.rename.prefix', 'Only taken with topic.rename=prefix'],
  ])('refuses %j with the prefix %j', (value, prefix, field, reason) => {
    const parsed = parseTopicRename(value, prefix);
    expect(parsed).toEqual({ ok: false, errors: [{ field, message: expect.stringContaining(reason) }] });
    expect(JSON.stringify(parsed)).toContain(`configuration ${field}`);
  });

  it('gives different topics different names', () => {
    const topic = fc.string({ unit: fc.constantFrom('a', '-', '%', 'eu-'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(topic, topic, fc.constantFrom('${topic}', 'eu-${topic}', '${topic}-a', 'a%${topic}'), (one, other, value) => {
        if (one !== other) expect(renameBy(value)(one)).not.toBe(renameBy(value)(other));
      }),
    );
  });
});
