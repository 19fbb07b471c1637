import { describe, expect, it } from '@jest/globals';
import { parseTraceContext, scanTraceContext, traceContextOf, traceHeaders, traceProperties } from './trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('the context of a trace', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-ff`, true],
    [`cc-${TRACE}-${SPAN}-02`, false],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, true],
  ])('is read of %s', (text, isSampled) => {
    expect(parseTraceContext(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  it.each([
    '',
    'null',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
  ])('is none in %j', (text) => {
    expect(parseTraceContext(text)).toBeUndefined();
  });

  it('keeps the state of vendors that can be passed on, and no other', () => {
    const stateOf = (state: string): string | undefined => parseTraceContext(`00-${TRACE}-${SPAN}-01`, state)?.state;
    expect(stateOf('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE')).toBe('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE');
    expect(stateOf(`a=${'b'.repeat(510)}`)).toHaveLength(512);
    expect(stateOf(`a=${'b'.repeat(511)}`)).toBeUndefined();
    expect(stateOf('a=\u0001')).toBeUndefined();
    expect(stateOf('')).toBeUndefined();
  });

  it('comes back from the properties and the headers that it was written to', () => {
    const context = { traceId: TRACE, spanId: SPAN, isSampled: true, state: 'a=b' };
    expect(scanTraceContext(Buffer.from(`KEYS\u0001k\u0002${traceProperties(context)}TAGS\u0001t\u0002`))).toEqual(context);
    expect(traceContextOf([{ key: 'other', value: 'x' }, ...traceHeaders(context)])).toEqual(context);
    const unsampled = { traceId: TRACE, spanId: SPAN, isSampled: false };
    expect(scanTraceContext(Buffer.from(traceProperties(unsampled)))).toEqual(unsampled);
    expect(traceContextOf(traceHeaders(context).map(({ key, value }) => ({ key, value: Buffer.from(value) })))).toEqual(context);
  });

  it('is looked for under its whole name, and one that is invalid is reported as such', () => {
    const valid = `00-${TRACE}-${SPAN}-01`;
    expect(scanTraceContext(Buffer.from(`my-traceparent\u0001${valid}\u0002`))).toBeUndefined();
    expect(scanTraceContext(Buffer.from(`x\u0001traceparent\u0002`))).toBeUndefined();
    expect(scanTraceContext(Buffer.from(''))).toBeUndefined();
    expect(scanTraceContext(Buffer.from(`traceparent\u0001${valid}x\u0002`))).toBe('invalid');
    expect(traceContextOf([{ key: 'traceparent', value: 7 }])).toBe('invalid');
    expect(traceContextOf([])).toBeUndefined();
  });
});
