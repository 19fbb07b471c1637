import { isUtf8 } from 'node:buffer';
import type { MessageHeader } from '@sluice/sdk';
import { type Attribute, type Attributes, DATA, DATA_BASE64 } from './cloud-event.js';
import { mediaOf } from './content-type.js';

/**
 * How the attributes of an event are named as headers:
 *
 * - `rocketmq`: `CE_id`, and `CE_contenttype` for `datacontenttype`. This is what the Java sdk of CloudEvents does, after the draft of a binding
 *   in the repository of the specification. It has one byte of 0 in the place of no data, because brokers refuse empty bodies.
 * - `kafka`: `ce_id`, and `content-type`, as the Kafka protocol binding of CloudEvents 1.0 says.
 */
export type Binding = 'rocketmq' | 'kafka';

/** What the headers of a message say about an event. */
export interface EventHeaders {
  readonly binding: Binding;
  /** Whether headers have all attributes; else the body has them. */
  readonly isBinary: boolean;
  readonly attributes: Attributes;
  /** The headers that say nothing about the event. */
  readonly rest: readonly MessageHeader[];
}

export const CONTENT_TYPE = 'datacontenttype';
const NAMES = {
  rocketmq: { prefix: 'CE_', contentType: 'CE_contenttype' },
  kafka: { prefix: 'ce_', contentType: 'content-type' },
} as const satisfies Record<Binding, { readonly prefix: string; readonly contentType: string }>;
const BINDINGS = ['rocketmq', 'kafka'] as const satisfies readonly Binding[];
/** An extension of this name would be taken for the content type. */
const OLD_CONTENT_TYPE = 'contenttype';
const EVENT_MEDIA = /^application\/cloudevents(?:$|[+-])/i;
const JSON_EVENT_MEDIA = /^application\/cloudevents(?:\+json)?$/i;
/** Characters that a text of CloudEvents must not have. */
const REFUSED_CHARACTER = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/**
 * Reads what headers say about an event, in either binding; where both are there, in that of RocketMQ.
 *
 * @throws TypeError for an attribute that is there twice with other values or is no text, and for an event in another format than JSON
 */
export function readEventHeaders(headers: readonly MessageHeader[]): EventHeaders | undefined {
  for (const binding of BINDINGS) {
    const attributes = attributesAmong(headers, binding);
    const contentType = attributes.get(CONTENT_TYPE);
    const isStructured = contentType !== undefined && EVENT_MEDIA.test(mediaOf(contentType));
    if (isStructured && !JSON_EVENT_MEDIA.test(mediaOf(contentType)))
      throw new TypeError(`The event is of ${mediaOf(contentType)}; application/cloudevents+json is read, one event for each message`);
    if (!isStructured && !attributes.has('specversion')) continue;
    return { binding, isBinary: !isStructured, attributes, rest: headers.filter(({ key }) => attributeNamed(key, binding) === undefined) };
  }
  return undefined;
}

function attributesAmong(headers: readonly MessageHeader[], binding: Binding): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const { key, value } of headers) {
    const name = attributeNamed(key, binding);
    if (name === undefined || value === null) continue;
    if (name === DATA || name === DATA_BASE64) throw new TypeError(`The header ${key} stands for data, which only the body holds`);
    const text = textOf(name, value);
    const other = attributes.get(name);
    // Some writers have the content type twice, in one of them with its parameters: the name of the binding counts.
    const isBindings = name !== CONTENT_TYPE || isContentType(key, binding);
    if (other !== undefined && other !== text && name !== CONTENT_TYPE)
      throw new TypeError(`The headers have the attribute ${name} twice, with different values`);
    if (other === undefined || isBindings) attributes.set(name, text);
  }
  return attributes;
}

/** Returns the attribute that a header of this name stands for. */
function attributeNamed(key: string, binding: Binding): string | undefined {
  if (isContentType(key, binding)) return CONTENT_TYPE;
  const { prefix } = NAMES[binding];
  if (!key.startsWith(prefix)) return undefined;
  const name = key.slice(prefix.length);
  return name.toLowerCase() === OLD_CONTENT_TYPE ? CONTENT_TYPE : name;
}

function isContentType(key: string, binding: Binding): boolean {
  return key.toLowerCase() === NAMES[binding].contentType.toLowerCase();
}

function textOf(name: string, value: string | Uint8Array): string {
  if (typeof value === 'string') return value;
  if (isUtf8(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  throw new TypeError(`The header of the attribute ${JSON.stringify(name)} is no text in UTF-8`);
}

/**
 * Returns headers with those of attributes, which take the place of all that are there about an event.
 *
 * @throws TypeError for an attribute that no header can hold so that others can read it
 */
export function withEventHeaders(headers: readonly MessageHeader[], attributes: Attributes, binding: Binding): readonly MessageHeader[] {
  const written = headers.filter(({ key }) => !isOfEvent(key, binding));
  for (const [name, value] of attributes) written.push({ key: headerNamed(name, binding), value: headerText(name, value) });
  return written;
}

/** A reader would take a header of the other binding for an attribute, too. Only `content-type` may mean something else. */
function isOfEvent(key: string, binding: Binding): boolean {
  return BINDINGS.some((each) => key.startsWith(NAMES[each].prefix)) || isContentType(key, binding);
}

function headerNamed(name: string, binding: Binding): string {
  const { prefix, contentType } = NAMES[binding];
  if (name === OLD_CONTENT_TYPE) throw new TypeError(`The extension ${name} has the name that headers have for ${CONTENT_TYPE}`);
  return name === CONTENT_TYPE ? contentType : prefix + name;
}

function headerText(name: string, value: Attribute): string {
  const text = String(value);
  if (text === '') throw new TypeError(`The attribute ${name} is an empty text, which no header can hold; leave it out`);
  if (REFUSED_CHARACTER.test(text))
    throw new TypeError(`The attribute ${name} has a control character, or another one that CloudEvents does not allow`);
  return text;
}
