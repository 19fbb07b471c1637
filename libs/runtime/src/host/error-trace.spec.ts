import { describe, expect, it } from '@jest/globals';
import { errorTrace, maxTraceLength, shortenedTrace } from './error-trace.js';

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

describe('shortenedTrace', () => {
  it('leaves a trace as it is that fits into a report', () => {
    expect(shortenedTrace('x'.repeat(maxTraceLength))).toBe('x'.repeat(maxTraceLength));
  });

  it('keeps beginning and end of one that does not', () => {
    const trace = shortenedTrace(`first ${'x'.repeat(2 * maxTraceLength)} last`);
    expect(trace).toMatch(/^first x+\n\.\.\. \d+ characters are left out \.\.\.\nx+ last$/);
    expect(trace.length).toBeLessThan(maxTraceLength + 100);
  });
});
