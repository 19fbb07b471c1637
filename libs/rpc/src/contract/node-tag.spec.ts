import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeGroup, nodeTag } from './node-tag.js';

describe('nodeTag', () => {
  it('is the id itself where a group name may hold it', () => {
    expect(nodeTag('sluice-main-rpc', 'runner-1')).toBe('runner-1');
    expect(nodeGroup('sluice-main-rpc', 'runner-1')).toBe('sluice-main-rpc-runner-1');
  });

  it('keeps ids apart that differ in a replaced character only', () => {
    expect(nodeTag('t', 'a.b')).toMatch(/^a_b-[0-9a-f]{8}$/);
    expect(nodeTag('t', 'a.b')).not.toBe(nodeTag('t', 'a:b'));
    expect(nodeTag('t', 'a.b')).not.toBe(nodeTag('t', 'a_b'));
  });

  it('gives groups that RocketMQ accepts for any id and topic', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 300 }), fc.stringMatching(/^[a-z-]{1,100}$/), (node, topic) => {
        expect(nodeGroup(topic, node)).toMatch(/^[%|a-zA-Z0-9_-]{1,120}$/);
        expect(nodeTag(topic, node)).not.toContain('|');
      }),
    );
  });

  it('refuses an empty id and a topic that leaves no room', () => {
    const code = 'RPC_INVALID_OPTIONS';
    expect(() => nodeTag('t', '')).toThrow(expect.objectContaining({ code, retriable: false }));
    expect(() => nodeTag('t'.repeat(110), 'n')).toThrow(/has 110 characters; at most 109/);
  });
});
