import { propertyNeedle, propertyText, scanProperty } from './property-block.js';

/**
 * Says where a trace stands, as W3C Trace Context level 1 writes it (https://www.w3.org/TR/trace-context/). The header `traceparent` names
 * the trace and the span before, `tracestate` carries what vendors add. Properties of a message have the same names.
 */
export interface TraceContext {
  /** 32 hexadecimal digits in small letters. */
  readonly traceId: string;
  /** Of the span before: 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** What the vendors of tracing systems have added; passed on as it is. */
  readonly state?: string | undefined;
}

const PARENT = 'traceparent';
const STATE = 'tracestate';
const PARENT_NEEDLE = propertyNeedle(PARENT);
const PARENT_BYTES = Buffer.from(PARENT_NEEDLE);
const STATE_NEEDLE = propertyNeedle(STATE);

/** A later version may put more behind these four fields; the first one, 00, may not. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_VERSION = 'ff';
const FIRST_VERSION = '00';
const ZEROS = /^0+$/;
const SAMPLED = 1;
/** What every system has to pass on, in characters. A longer state is left out, as the recommendation allows. */
const MAX_STATE = 512;
const STATE_TEXT = /^[\x20-\x7e]+$/;

/** Returns whether a header carries the context of a trace: a text of its own, which no converter makes another one of. */
export function isTraceHeader(name: string): boolean {
  return name === PARENT || name === STATE;
}

/**
 * Reads the values of `traceparent` and `tracestate`.
 *
 * @returns `undefined` where `parent` is no valid `traceparent`
 */
export function parseTraceContext(parent: string, state?: string): TraceContext | undefined {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(parent) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === NO_VERSION || (version === FIRST_VERSION && more !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  const isSampled = (parseInt(flags, 16) & SAMPLED) !== 0;
  const isUsable = state !== undefined && state.length <= MAX_STATE && STATE_TEXT.test(state);
  return { traceId, spanId, isSampled, ...(isUsable ? { state } : {}) };
}

/** Returns the context that the properties of a message carry; `invalid` where `traceparent` is none, `undefined` where there is none. */
export function scanTraceContext(properties: Buffer): TraceContext | undefined | 'invalid' {
  // Most messages carry none: their bytes are not made a text for this.
  if (!properties.includes(PARENT_BYTES)) return undefined;
  const parent = scanProperty(properties, PARENT_NEEDLE);
  if (parent === undefined) return undefined;
  return parseTraceContext(parent, scanProperty(properties, STATE_NEEDLE)) ?? 'invalid';
}

/** Lists a context as the headers of a record. */
export function traceHeaders(context: TraceContext): readonly { readonly key: string; readonly value: string }[] {
  const { traceId, spanId, isSampled, state } = context;
  const parent = { key: PARENT, value: `${FIRST_VERSION}-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}` };
  return state === undefined ? [parent] : [parent, { key: STATE, value: state }];
}

/** Returns the properties of a message that carry a context. */
export function traceProperties(context: TraceContext): string {
  return traceHeaders(context)
    .map(({ key, value }) => propertyText(key, value))
    .join('');
}

/** Returns the context among the headers of a record, as {@link scanTraceContext} does. Values are texts or their bytes. */
export function traceContextOf(
  headers: readonly { readonly key: string; readonly value: unknown }[],
): TraceContext | undefined | 'invalid' {
  let parent: string | undefined;
  let state: string | undefined;
  for (const { key, value } of headers) {
    if (key === PARENT) parent = textOf(value);
    else if (key === STATE) state = textOf(value);
  }
  if (parent === undefined) return undefined;
  return parseTraceContext(parent, state) ?? 'invalid';
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1') : '';
}
