import { describe, expect, it } from '@jest/globals';
import { errorTrace } from './error-trace.js';

describe('errorTrace', () => {
  it('tells the whole chain of causes', () => {
    const trace = errorTrace(new Error('outer', { cause: new Error('inner', { cause: 'a text' }) }));
    expect(trace).toMatch(/^Error: outer\n[^]*\nCaused by: Error: inner\n[^]*\nCaused by: a text$/);
  });

  it('ends in a circle of causes', () => {
    const error = new Error('round');
    error.cause = error;
    expect(errorTrace(error).match(/round/g)).toHaveLength(20);
  });
});
