import { describe, expect, it } from '@jest/globals';
import { ShownErrors } from './shown-error.js';

const hide = (text: string): string => text.replaceAll('s3cret', '[hidden]');

describe('what spans show of an error', () => {
  it('is made once for each error, and again where its text has changed', () => {
    let hidden = 0;
    const errors = new ShownErrors((text) => {
      hidden++;
      return text;
    });
    const error = new Error('first');
    expect(errors.of(error)).toBe(errors.of(error));
    expect(hidden).toBe(3);
    error.message = 'second';
    expect(errors.of(error).message).toBe('second');
  });

  it('has no secret in its type, its message, its stack or a name, nor a part of one where a long text is cut', () => {
    const errors = new ShownErrors(hide);
    const error = new Error('no place for s3cret');
    error.name = 'ConnectError(user:s3cret@db)';
    expect(errors.of(error)).toMatchObject({ type: 'ConnectError(user:[hidden]@db)', message: 'no place for [hidden]' });
    expect(errors.nameOf('Of$s3cret')).toBe('Of$[hidden]');
    for (let before = 985; before < 1010; before++) {
      expect(errors.of(new Error(`${'-'.repeat(before)}s3cret${'-'.repeat(10_000)}`)).message).not.toMatch(/s3|et-/);
    }
    // What is hidden makes room for what lies behind it.
    const removing = new ShownErrors((text) => text.replaceAll('s3cret', ''));
    for (let behind = 0; behind < 6; behind++) {
      expect(removing.of(new Error(`${'s3cret'.repeat(3000)}${'s3cret'.slice(behind)}`)).message).not.toContain('s3');
    }
  });

  it('searches a bounded part of a long text', () => {
    let longest = 0;
    const errors = new ShownErrors((text) => {
      longest = Math.max(longest, text.length);
      return text;
    });
    expect(errors.of(new Error('x'.repeat(1_000_000))).message).toBe(`${'x'.repeat(1000)}...`);
    expect(longest).toBeLessThan(10_000);
  });

  it.each([
    ['an object without a text', Object.create(null) as object, 'object'],
    ['an error whose name is no text', Object.assign(new Error('no'), { name: 7 }), '7'],
    ['a text', 'no', 'string'],
    ['nothing', undefined, 'undefined'],
  ])('is there whatever was thrown: %s', (_name, thrown, type) => {
    expect(new ShownErrors(hide).of(thrown).type).toBe(type);
  });
});
