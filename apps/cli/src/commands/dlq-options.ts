import { ERROR_STAGES } from '@sluice/protocol';
import { nearestName, targetTopicProblem, topicNameProblem } from '@sluice/sdk';
import type { LetterPlace } from '../dead-letters/find-letter.js';
import type { LetterFilter } from '../dead-letters/letter-filter.js';
import { BODY_FORMS, type BodyForm } from '../dead-letters/letter-text.js';
import type { RedriveOptions } from '../dead-letters/redrive.js';
import { parseOptions, UsageError } from './parse-options.js';

/** Options that each of the commands takes. */
const COMMON = {
  config: { type: 'string', short: 'c' },
  topic: { type: 'string' },
  side: { type: 'string' },
  output: { type: 'string', default: 'table' },
} as const;

const FILTERS = {
  stage: { type: 'string', multiple: true },
  class: { type: 'string', multiple: true },
  connector: { type: 'string', multiple: true },
  'from-time': { type: 'string' },
  'to-time': { type: 'string' },
  limit: { type: 'string' },
} as const;

const LIST_LIMIT = 100;
/** Records that fail again and again go round so often at most. */
const MAX_REDRIVES = 5;

/** What each command takes. */
export interface DlqTarget {
  readonly config: string | undefined;
  /** The dead letter topic. */
  readonly topic: string;
  /** Whose dead letters: in the cluster of sinks or of sources. `undefined`: not said. */
  readonly side: 'sink' | 'source' | undefined;
  readonly output: 'table' | 'json';
}

export interface ListArguments extends DlqTarget {
  readonly filter: LetterFilter;
  readonly limit: number;
  readonly isAll: boolean;
}

export interface ShowArguments extends DlqTarget, LetterPlace {
  readonly body: BodyForm;
}

export type RedriveArguments = DlqTarget & RedriveOptions;

/** Reads the words behind `sluice dlq list`. @throws UsageError */
export function listArguments(args: readonly string[]): ListArguments {
  const values = parseOptions('sluice dlq list', args, { ...COMMON, ...FILTERS, all: { type: 'boolean', default: false } });
  const limit = values.limit === undefined ? LIST_LIMIT : wholeNumber('--limit', values.limit, 1);
  return { ...targetOf(values), filter: filterOf(values), limit, isAll: values.all };
}

/** Reads the words behind `sluice dlq show`. @throws UsageError */
export function showArguments(args: readonly string[]): ShowArguments {
  const values = parseOptions('sluice dlq show', args, {
    ...COMMON,
    queue: { type: 'string' },
    offset: { type: 'string' },
    body: { type: 'string', default: 'auto' },
  });
  const queue = required('--queue', values.queue, 'give BROKER/NUMBER, as `sluice dlq list` shows it');
  const offset = required('--offset', values.offset, 'give it as `sluice dlq list` shows it');
  const [, brokerName, id] = /^(?:(.+)\/)?(\d{1,9})$/.exec(queue) ?? [];
  if (id === undefined) throw new UsageError(`--queue is "${queue}"; allowed is BROKER/NUMBER, or NUMBER where the topic is on one broker`);
  return {
    ...targetOf(values),
    queue: { brokerName, queueId: Number(id) },
    offset: wholeNumber('--offset', offset, 0),
    body: oneOf('--body', values.body, BODY_FORMS),
  };
}

/** Reads the words behind `sluice dlq redrive`. @throws UsageError */
export function redriveArguments(args: readonly string[]): RedriveArguments {
  const values = parseOptions('sluice dlq redrive', args, {
    ...COMMON,
    ...FILTERS,
    to: { type: 'string' },
    'source-letters': { type: 'string', default: 'refuse' },
    'max-redrives': { type: 'string' },
    rate: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
  });
  const target = targetOf(values);
  const { topic } = target;
  const { to, limit, rate } = values;
  const problem = to === undefined ? undefined : to === topic ? `it is the dead letter topic` : targetTopicProblem(to);
  if (problem !== undefined) throw new UsageError(`--to is "${to ?? ''}": ${problem}`);
  const maxRedrives = values['max-redrives'];
  return {
    ...target,
    filter: filterOf(values),
    rules: {
      topic,
      to,
      sourceLetters: oneOf('--source-letters', values['source-letters'], ['refuse', 'as-json']),
      maxRedrives: maxRedrives === undefined ? MAX_REDRIVES : wholeNumber('--max-redrives', maxRedrives, 1),
    },
    limit: limit === undefined ? Infinity : wholeNumber('--limit', limit, 1),
    ratePerSecond: rate === undefined ? Infinity : wholeNumber('--rate', rate, 1),
    isDryRun: values['dry-run'],
  };
}

function targetOf(values: {
  readonly config?: string | undefined;
  readonly topic?: string | undefined;
  readonly side?: string | undefined;
  readonly output: string;
}): DlqTarget {
  const topic = required('--topic', values.topic, 'give the dead letter topic');
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new UsageError(`--topic is "${topic}": ${problem}`);
  return {
    config: values.config,
    topic,
    side: values.side === undefined ? undefined : oneOf('--side', values.side, ['sink', 'source']),
    output: oneOf('--output', values.output, ['table', 'json']),
  };
}

function filterOf(values: {
  readonly stage?: readonly string[] | undefined;
  readonly class?: readonly string[] | undefined;
  readonly connector?: readonly string[] | undefined;
  readonly 'from-time'?: string | undefined;
  readonly 'to-time'?: string | undefined;
}): LetterFilter {
  const fromMs = timeOf('--from-time', values['from-time']);
  const toMs = timeOf('--to-time', values['to-time']);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw new UsageError(`--to-time is "${values['to-time'] ?? ''}"; allowed is a time after --from-time, "${values['from-time'] ?? ''}"`);
  }
  return {
    stages: (values.stage ?? []).map((stage) => oneOf('--stage', stage, ERROR_STAGES)),
    classes: values.class ?? [],
    connectors: values.connector ?? [],
    fromMs,
    toMs,
  };
}

/** A time without a zone would mean another one on each machine. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = ISO_TIME.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new UsageError(
    `${option} is "${text}"; allowed is a time such as 2026-07-01T12:00:00Z or 2026-07-01T14:00+02:00, or a day in UTC such as 2026-07-01`,
  );
}

/** `Date.parse` takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function required(option: string, text: string | undefined, hint: string): string {
  if (text !== undefined && text !== '') return text;
  throw new UsageError(`${option} is missing: ${hint}`);
}

function wholeNumber(option: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
  throw new UsageError(`${option} is "${text}"; allowed are whole numbers from ${min}`);
}

function oneOf<const T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found !== undefined) return found;
  const nearest = nearestName(text, allowed);
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  throw new UsageError(`${option} is "${text}".${hint} Allowed are ${allowed.join(', ')}`);
}
