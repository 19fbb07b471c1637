import { isUtf8 } from 'node:buffer';
import { CONTEXT_PREFIX, MessageAttributes, messageToRecord } from '@sluice/protocol';
import { isJsonObject, type JsonValue, parseJson, plainJson } from '@sluice/sdk';
import { type LetterFilter, letsAllPass } from './letter-filter.js';
import type { LetterList } from './list-letters.js';
import { queueName } from '../queues/queue-cursor.js';
import type { Letter } from './letter.js';

/** How a body is shown; `auto`: as JSON where it is JSON, else as text, else in hexadecimal digits. */
export const BODY_FORMS = ['auto', 'text', 'json', 'hex'] as const;

export type BodyForm = (typeof BODY_FORMS)[number];

/** The most that a list shows of a name or a message, in characters. */
const MAX_SHOWN = 100;
// eslint-disable-next-line no-control-regex -- a terminal acts on them
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
// eslint-disable-next-line no-control-regex -- the same but for tabs and ends of lines
const CONTROL_IN_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;
/** What JSON leaves as it is, and a terminal acts on. */
const CONTROL_IN_JSON = /[\u007f-\u009f\u2028\u2029]/g;

/** Writes a list of letters as one JSON object, its letters each in a form that `show` takes. */
export function listAsJson(topic: string, { letters, isCut, unreadable }: LetterList): object {
  return {
    topic,
    letters: letters.map(({ queue, offset, storedAt, ...others }) => ({ queue, offset, time: timeText(storedAt), ...others })),
    isCut,
    unreadable: unreadable.map(({ queue, offset }) => ({ queue: queueName(queue), offset })),
  };
}

/** Writes a list of letters as a table. */
export function listAsTable(topic: string, list: LetterList, asked: { readonly filter: LetterFilter; readonly isAll: boolean }): string {
  const { letters, isCut, unreadable } = list;
  const rows = letters.map(({ queue, offset, storedAt, connector, task, stage, exceptionClass, message, redrives, isRedriven }) => [
    oneLine(queue),
    String(offset),
    timeText(storedAt),
    oneLine(connector === null ? '-' : `${connector}${task === null ? '' : `-${task}`}`, MAX_SHOWN),
    oneLine(stage ?? '-', MAX_SHOWN),
    oneLine(exceptionClass ?? '-', MAX_SHOWN),
    String(redrives),
    isRedriven ? 'redriven' : 'open',
    oneLine(message ?? '-', MAX_SHOWN),
  ]);
  const head = ['QUEUE', 'OFFSET', 'TIME', 'TASK', 'STAGE', 'CLASS', 'REDRIVES', 'STATE', 'MESSAGE'];
  const lines = letters.length === 0 ? [describeNone(topic, asked)] : columns([head, ...rows]);
  for (const { queue, offset } of unreadable) lines.push(`${oneLine(queueName(queue))} offset ${offset} cannot be read`);
  if (isCut) lines.push(`There are more than these ${letters.length}: --limit N shows more`);
  return lines.join('\n');
}

function describeNone(topic: string, { filter, isAll }: { readonly filter: LetterFilter; readonly isAll: boolean }): string {
  if (!letsAllPass(filter)) return `No ${isAll ? '' : 'open '}letter of topic ${topic} passes the filters`;
  return isAll ? `Topic ${topic} holds no letters` : `No open letters in topic ${topic}; --all shows redriven ones`;
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** What a letter holds, for people and programs. */
export interface ShownLetter {
  readonly queue: string;
  readonly offset: number;
  /** When it became a dead letter, and when its record was made. */
  readonly time: string;
  readonly bornTime: string;
  readonly redrives: number;
  readonly isRedriven: boolean;
  /** By the name behind `__connect.errors.`. */
  readonly context: Readonly<Record<string, string>>;
  readonly key: string | null;
  readonly tag: string | null;
  readonly keys: readonly string[];
  readonly flag: number;
  readonly timestamp: string | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
  readonly body: { readonly form: 'null' | 'text' | 'json' | 'hex'; readonly bytes: number; readonly text: string };
}

/**
 * Reads all that a letter holds.
 *
 * @throws Error where its body has not the form that is asked for, or cannot be decompressed
 */
export function shownLetter(letter: Letter, isRedriven: boolean, form: BodyForm): ShownLetter {
  const { queue, offset, storedAt, message, redrives } = letter;
  const { body, bornTimestamp, flag, rawProperties } = message;
  const { key, headers, timestamp, value } = messageToRecord({ body, properties: rawProperties });
  const { tag = null, keys } = new MessageAttributes(rawProperties, bornTimestamp);
  const properties = [...message.properties()];
  const isContext = (name: string): boolean => name.startsWith(CONTEXT_PREFIX);
  return {
    queue: queueName(queue),
    offset,
    time: timeText(storedAt),
    bornTime: timeText(bornTimestamp),
    redrives,
    isRedriven,
    context: Object.fromEntries(
      properties.filter(([name]) => isContext(name)).map(([name, text]) => [name.slice(CONTEXT_PREFIX.length), text]),
    ),
    key: key === undefined || key === null ? null : partText(key),
    tag,
    keys,
    flag,
    timestamp: timestamp === undefined ? null : timeText(timestamp),
    headers: headers
      .filter((header) => !isContext(header.key))
      .map((header) => ({ key: header.key, value: header.value === null ? null : partText(header.value) })),
    body: value === null ? { form: 'null', bytes: 0, text: 'null' } : bodyText(value, form),
  };
}

/** Writes what a letter holds for people. */
export function shownAsText(topic: string, shown: ShownLetter): string {
  const { context, headers, body } = shown;
  const line = (name: string, text: string): string => `${name.padEnd(12)}${oneLine(text)}`;
  const lines = [
    `Dead letter ${oneLine(shown.queue)} offset ${shown.offset} of topic ${topic}`,
    line('time', shown.time),
    line('born', shown.bornTime),
    line('state', `${shown.isRedriven ? 'redriven' : 'open'}; its record was redriven ${shown.redrives} times before`),
    line('key', shown.key ?? '-'),
    line('tag', shown.tag ?? '-'),
    line('keys', shown.keys.join(' ') || '-'),
    line('flag', String(shown.flag)),
    line('timestamp', shown.timestamp ?? '-'),
    `context${Object.keys(context).length === 0 ? '     -' : ''}`,
    ...Object.entries(context).map(([name, text]) => `  ${oneLine(name)}: ${severalLines(text)}`),
    `headers${headers.length === 0 ? '     -' : ''}`,
    ...headers.map(({ key, value }) => `  ${oneLine(key)}: ${value === null ? 'null' : oneLine(value)}`),
    `body, ${body.bytes} bytes as ${body.form}`,
    severalLines(body.text),
  ];
  return lines.join('\n');
}

function bodyText(body: Buffer, form: BodyForm): ShownLetter['body'] {
  const bytes = body.length;
  const hex = { form: 'hex', bytes, text: body.toString('hex') } as const;
  if (form === 'hex') return hex;
  const isText = isUtf8(body);
  const text = body.toString('utf8');
  if (form === 'json' || (form === 'auto' && isText)) {
    try {
      if (!isText) throw new Error('it is no UTF-8');
      const json = parseJson(text);
      if (form === 'json' || isJsonObject(json) || Array.isArray(json)) return { form: 'json', bytes, text: indented(json) };
    } catch (error) {
      if (form === 'json')
        throw new Error(`The body is no JSON: ${oneLine((error as Error).message)}. --body takes text or hex`, { cause: error });
    }
  }
  if (!isText && form === 'text') throw new Error('The body is no text in UTF-8. --body takes hex');
  return isText ? { form: 'text', bytes, text } : hex;
}

/** Writes JSON with each field on a line of its own, and each number with the digits that it has. */
function indented(json: JsonValue, margin = ''): string {
  const inner = `${margin}  `;
  const isList = Array.isArray(json);
  if (!isList && !isJsonObject(json)) return plainJson(json);
  const parts = isList
    ? (json as readonly JsonValue[]).map((item) => inner + indented(item, inner))
    : Object.entries(json).map(([name, value]) => `${inner}${JSON.stringify(name)}: ${indented(value, inner)}`);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return parts.length === 0 ? open + close : `${open}\n${parts.join(',\n')}\n${margin}${close}`;
}

/** A text, or bytes of a key or a header, in base64 where they are no text. */
function partText(part: string | Uint8Array): string {
  if (typeof part === 'string') return part;
  const bytes = Buffer.from(part);
  return isUtf8(bytes) ? bytes.toString('utf8') : `base64:${bytes.toString('base64')}`;
}

function timeText(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? String(ms) : time.toISOString();
}

/** Returns a text in one line and without what a terminal would act on, cut where it is longer. */
export function oneLine(text: string, maxLength = Infinity): string {
  const shown = text.replace(CONTROL, visible);
  return shown.length > maxLength ? `${shown.slice(0, maxLength - 3)}...` : shown;
}

/** Returns a text without what a terminal would act on but ends of lines and tabs. */
export function severalLines(text: string): string {
  return text.replace(CONTROL_IN_LINES, visible);
}

/** Writes JSON for people and programs, without what a terminal would act on. */
export function printedJson(value: object): string {
  return JSON.stringify(value, undefined, 2).replace(CONTROL_IN_JSON, visible);
}

function visible(character: string): string {
  return character === '\n' || character === '\t' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
