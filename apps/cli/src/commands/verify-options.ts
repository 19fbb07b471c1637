import { systemTopicKind } from '@sluice/replication';
import { JavaPattern } from '@sluice/transforms';
import { topicNameProblem } from '@sluice/sdk';
import { CLUSTER_OPTIONS, clusterOf, type GivenCluster } from './cluster-options.js';
import { parseOptions, UsageError } from './parse-options.js';
import type { VerifyOptions } from '../replication/verify.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface VerifyArguments {
  readonly from: GivenCluster;
  readonly to: GivenCluster;
  readonly isJson: boolean;
  readonly options: Omit<VerifyOptions, 'from' | 'to' | 'onProgress'>;
}

const DEFAULT_PARALLEL = 4;
const MAX_PARALLEL = 64;

/** Reads the words behind `sluice verify`. @throws UsageError */
export function verifyArguments(args: readonly string[], environment: Environment, warn: (text: string) => void): VerifyArguments {
  const values = parseOptions('sluice verify', args, {
    ...CLUSTER_OPTIONS,
    topics: { type: 'string', multiple: true },
    'topics-regex': { type: 'string' },
    'target-topic': { type: 'string', default: '${topic}' },
    connector: { type: 'string' },
    'queue-map': { type: 'string', multiple: true },
    state: { type: 'string' },
    rate: { type: 'string' },
    parallel: { type: 'string' },
    complete: { type: 'boolean', default: false },
    'from-first-copy': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const { rate, parallel, connector, state } = values;
  for (const [option, text] of [
    ['--connector', connector],
    ['--state', state],
  ] as const) {
    if (text === '') throw new UsageError(`${option} is empty`);
  }
  return {
    from: clusterOf('from', values, environment, warn),
    to: clusterOf('to', values, environment, warn),
    isJson: values.json,
    options: {
      chooseTopics: choiceOf(values.topics, values['topics-regex']),
      targetTopic: targetTopicOf(values['target-topic']),
      connector,
      queueMap: queueMapOf(values['queue-map'] ?? []),
      stateFile: state,
      ratePerSecond: rate === undefined ? Infinity : wholeNumber('--rate', rate, 1, Number.MAX_SAFE_INTEGER),
      parallel: parallel === undefined ? DEFAULT_PARALLEL : wholeNumber('--parallel', parallel, 1, MAX_PARALLEL),
      isComplete: values.complete,
      isFromFirstCopy: values['from-first-copy'],
    },
  };
}

function choiceOf(given: readonly string[] | undefined, regex: string | undefined): VerifyOptions['chooseTopics'] {
  if (given !== undefined && regex !== undefined) throw new UsageError('--topics and --topics-regex are both given: give one');
  if (regex !== undefined) {
    const pattern = patternOf(regex);
    return (listed, servers) => {
      const chosen = listed.filter((topic) => pattern.matches(topic) && systemTopicKind(topic, servers) === undefined).sort();
      if (chosen.length === 0) throw new Error(`--topics-regex ${regex} matches no topic of the source`);
      return chosen;
    };
  }
  const names = [...new Set((given ?? []).flatMap((text) => text.split(',')).map((name) => name.trim()))].sort();
  if (names.length === 0) throw new UsageError('--topics or --topics-regex is missing: give the topics of the source');
  for (const name of names) {
    const problem = topicNameProblem(name);
    if (problem !== undefined) throw new UsageError(`--topics has "${name}": ${problem}`);
  }
  return (listed) => {
    const missing = names.filter((name) => !listed.includes(name));
    if (missing.length > 0) throw new Error(`The source has no topic ${missing.join(', ')}`);
    return names;
  };
}

function patternOf(regex: string): JavaPattern {
  try {
    return new JavaPattern(regex);
  } catch (error) {
    throw new UsageError(`--topics-regex is "${regex}": ${(error as Error).message}`, { cause: error });
  }
}

function targetTopicOf(pattern: string): string {
  const problem = topicNameProblem(pattern.replaceAll('${topic}', 'x'));
  if (problem === undefined) return pattern;
  throw new UsageError(`--target-topic is "${pattern}": ${problem}. Allowed is a name in which \${topic} stands for the source's`);
}

const PLACE = /^.+@.+:\d{1,9}$/;

function queueMapOf(given: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const text of given.flatMap((each) => each.split(','))) {
    const [source = '', target = '', ...more] = text.trim().split('=');
    if (!PLACE.test(source) || !PLACE.test(target) || more.length > 0) {
      throw new UsageError(`--queue-map has "${text}"; allowed is TOPIC@BROKER:QUEUE=TOPIC@BROKER:QUEUE, of the source and the target`);
    }
    if (map.has(source)) throw new UsageError(`--queue-map names ${source} twice`);
    if ([...map.values()].includes(target)) throw new UsageError(`--queue-map has two queues for ${target}`);
    map.set(source, target);
  }
  return map;
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${option} is "${text}"; allowed are whole numbers from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ''}`);
}
