import {
  type Field,
  HIDDEN_VALUE,
  isSecretField,
  type ListField,
  type NumberField,
  type StringField,
  type TopicUse,
} from './config-fields.js';
import { hideEmbedded } from './embedded-secrets.js';
import { targetTopicProblem, topicNameProblem } from './topic-name.js';

export type ParsedField =
  { readonly ok: true; readonly value: string | number | boolean | readonly string[] } | { readonly ok: false; readonly message: string };

/** What each type of number can hold. */
const ranges = {
  int: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  long: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  double: { min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
} as const;

/** Reads one setting from its text. `name` is the name that the user wrote. */
export function parseField(name: string, field: Field, text: string): ParsedField {
  const problem = (reason: string): ParsedField => ({
    ok: false,
    message: `Invalid value ${isSecretField(field) ? HIDDEN_VALUE : hideEmbedded(text)} for configuration ${name}: ${reason}`,
  });
  switch (field.type) {
    case 'string':
      return parseString(field, text, problem);
    case 'int':
    case 'long':
    case 'double':
      return parseNumber(field, text, problem);
    case 'boolean': {
      const word = text.trim().toLowerCase();
      if (word !== 'true' && word !== 'false') return problem('Expected value to be either true or false');
      return { ok: true, value: word === 'true' };
    }
    case 'list':
      return parseList(field, text, problem);
    case 'password':
      return { ok: true, value: text };
    case 'class': {
      const className = text.trim();
      return className === '' ? problem('Expected the name of a class') : { ok: true, value: className };
    }
    default:
      return field satisfies never;
  }
}

function parseString(field: StringField, text: string, problem: (reason: string) => ParsedField): ParsedField {
  if (field.oneOf !== undefined && !field.oneOf.includes(text)) {
    return problem(`String must be one of: ${field.oneOf.join(', ')}`);
  }
  if (field.nonEmpty === true && text === '') return problem('String must be non-empty');
  if (field.pattern !== undefined && !new RegExp(`^(?:${field.pattern})$`, 'u').test(text)) {
    return problem(`String must match ${field.pattern}`);
  }
  const topicProblem = text === '' ? undefined : topicProblemOf(field.topic, text);
  return topicProblem === undefined ? { ok: true, value: text } : problem(topicProblem);
}

function topicProblemOf(use: TopicUse | undefined, name: string): string | undefined {
  if (use === undefined) return undefined;
  return use === 'read' ? topicNameProblem(name) : targetTopicProblem(name);
}

function parseNumber(field: NumberField, text: string, problem: (reason: string) => ParsedField): ParsedField {
  const trimmed = text.trim();
  const form = field.type === 'double' ? /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/ : /^[+-]?\d+$/;
  const value = Number(trimmed);
  const range = ranges[field.type];
  const { min = range.min, max = range.max } = field;
  if (!form.test(trimmed)) return problem(`Not a number of type ${field.type.toUpperCase()}`);
  if (value < min) return problem(`Value must be at least ${min}`);
  if (value > max) return problem(`Value must be no more than ${max}`);
  return { ok: true, value };
}

function parseList(field: ListField, text: string, problem: (reason: string) => ParsedField): ParsedField {
  const separators = new Set(field.separators ?? ',');
  const items: string[] = [];
  let from = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (at < text.length && !separators.has(text.charAt(at))) continue;
    const item = text.slice(from, at).trim();
    if (item !== '') items.push(item);
    from = at + 1;
  }
  if (field.nonEmpty === true && items.length === 0) return problem('List must not be empty');
  const topicProblems = items.flatMap((item) => topicProblemOf(field.topic, item) ?? []);
  if (topicProblems.length > 0) return problem(topicProblems.join('; '));
  return { ok: true, value: items };
}
