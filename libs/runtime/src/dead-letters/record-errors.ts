import { contextProperties, type DeadLetterContext } from '@sluice/protocol';
import type { ConnectError, TaskConfig } from '@sluice/sdk';
import type { RateLimitedLogger } from '@sluice/time';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { RetryPolicy } from '../retry/retrying.js';
import { errorTrace } from '../task/error-text.js';
import type { TaskFigures } from '../task/task-figures.js';
import type { ContextOf } from './dead-letter.js';
import { DeadLetterWriter } from './dead-letter-writer.js';
import type { RecordFailure } from './record-failure.js';

/** The most that a log shows of a record, in characters. */
const MAX_SHOWN = 1000;

/** What is done about a record that is left out. */
export interface ErrorReporting {
  readonly logs: boolean;
  /** The log shows what is in the record, too. */
  readonly logsContents: boolean;
  readonly deadLetters: { readonly topic: string; readonly hasContext: boolean } | undefined;
}

export interface RecordErrorsSpec {
  readonly connector: string;
  readonly index: number;
  readonly config: TaskConfig;
  readonly settings: { readonly errors: ErrorReporting };
  readonly counters: TaskCounters;
  readonly figures: TaskFigures;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
}

export interface RecordErrorsOptions {
  readonly spec: RecordErrorsSpec;
  readonly ports: { readonly producer: RecordProducer; readonly lease: Lease; readonly clock: Clock };
  /** Retries without end. */
  readonly policy: (call: string, onRetry: () => void) => RetryPolicy;
  readonly skips: RateLimitedLogger;
  /** Aborted when nothing more is written. */
  readonly signal: AbortSignal;
}

/** Where a record came from, as its dead letter says it. */
export type RecordPlace = Pick<DeadLetterContext, 'topic' | 'brokerName' | 'queueId' | 'offset' | 'sourcePartition' | 'sourcePosition'>;

/** Reports the records of a task that are left out: in the log, and as dead letters. */
export class RecordErrors {
  /** `undefined` where there is no dead letter topic. */
  readonly letters: DeadLetterWriter | undefined;

  constructor(private readonly options: RecordErrorsOptions) {
    const { spec, ports, policy, signal } = options;
    const { deadLetters } = spec.settings.errors;
    const { producer, lease } = ports;
    if (deadLetters === undefined) return;
    const { topic } = deadLetters;
    this.letters = new DeadLetterWriter({ topic, producer, lease, counters: spec.counters, policy, signal });
  }

  /**
   * Logs that a record was left out, at most one in a second.
   * @param contents says what is in the record, for those who want to see that
   */
  log({ message }: ConnectError, contents?: () => string): void {
    const { spec, skips } = this.options;
    const { logs, logsContents } = spec.settings.errors;
    if (!logs) return;
    spec.counters.errorsLogged++;
    if (!logsContents || contents === undefined) {
      skips.write(`A record was skipped. ${message}`);
      return;
    }
    // Before it is cut: a part of a secret is none that can be found.
    const text = spec.hide(textOf(contents));
    skips.write(`A record was skipped. ${message}. ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text}`);
  }

  /** Returns what adds the context to a dead letter. */
  contextOf({ stage, className, cause }: RecordFailure, place: RecordPlace): ContextOf {
    const { spec } = this.options;
    const { connector, index: taskIndex, config, hide } = spec;
    if (spec.settings.errors.deadLetters?.hasContext !== true) return () => '';
    const { sourcePartition, sourcePosition } = place;
    const context: DeadLetterContext = {
      ...place,
      sourcePartition: sourcePartition === undefined ? undefined : hide(sourcePartition),
      sourcePosition: sourcePosition === undefined ? undefined : hide(sourcePosition),
      connector,
      taskIndex,
      stage,
      className: className === '' ? (config['connector.class'] ?? '') : className,
      exceptionClass: cause instanceof Error ? cause.name : typeof cause,
      exceptionMessage: hide(cause instanceof Error ? cause.message : String(cause)),
      stackTrace: hide(errorTrace(cause)),
    };
    return (written) => contextProperties(context, written);
  }
}

/** A record may be anything that a plugin returns. */
function textOf(contents: () => string): string {
  try {
    return contents();
  } catch {
    return 'What is in it cannot be shown';
  }
}
