import type { DecodedRecord } from '@sluice/protocol';
import type { ConnectRecord, QueueRef, SinkRecord } from '@sluice/sdk';
import { RecordFailure } from '../dead-letters/record-failure.js';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { type BatchWalk, type TransformChain, TransformError, type TransformOutcome } from '../transforms/transform-chain.js';
import type { SinkTrace } from '../traces/sink-traces.js';
import type { RecordDecoder } from './record-decoder.js';

/** What became of a message: a record for the sink, `undefined` where a transform dropped it, or a failure. */
export type SinkOutcome = SinkRecord | undefined | RecordFailure;

export interface SinkStageOptions {
  readonly transforms: TransformChain;
  readonly decoder: RecordDecoder;
  /** Of preparations: questions to other systems. */
  readonly policy: RetryPolicy;
}

/** Makes of messages what the sink is given: converts them, then applies the transforms. */
export class SinkStage {
  /** Something takes time: messages go through {@link prepared} as soon as they are read. Else each one is {@link outcomeOf} when it is taken. */
  readonly prepares: boolean;

  constructor(private readonly options: SinkStageOptions) {
    this.prepares = options.transforms.prepares || options.decoder.prepare !== undefined;
  }

  /** Returns what a message takes: its body as the sink gets it, and its properties. */
  bytesOf(message: RawMessage): number {
    const { takesStored } = this.options.decoder;
    return ((takesStored === true ? message.compressed?.body.length : undefined) ?? message.bodyBytes) + message.propertiesBytes;
  }

  /** Returns what becomes of a message, where nothing prepares. */
  outcomeOf(queue: QueueRef, message: RawMessage, trace?: SinkTrace): SinkOutcome {
    const { transforms } = this.options;
    trace?.mark();
    const record = this.#decoded(queue, message);
    trace?.did('convert');
    if (transforms.isEmpty || record instanceof RecordFailure) return record;
    const outcome = placed(transforms.apply(record), record);
    trace?.did('transform');
    return outcome;
  }

  /** Returns what becomes of each message of a queue, in their order. Rejects when `signal` is aborted: the queue is not read any more. */
  async prepared(queue: QueueRef, messages: readonly RawMessage[], signal: AbortSignal): Promise<readonly SinkOutcome[]> {
    const { transforms, decoder, policy } = this.options;
    let decoded: readonly (SinkRecord | RecordFailure)[] | undefined;
    let walk: BatchWalk | undefined;
    // What is done stays so: a transform that a later one's preparation made see records again would take them for others.
    const outcomes = await retrying(policy, signal, async () => {
      if (decoded === undefined) {
        const parts = await decoder.prepare?.(queue, messages, signal);
        decoded = messages.map((message, index) => this.#decoded(queue, message, parts?.[index]));
      }
      walk ??= transforms.begin(decoded.flatMap((outcome) => (outcome instanceof RecordFailure ? [] : [outcome])));
      return { decoded, transformed: (await walk.finish(signal)).values() };
    });
    return outcomes.decoded.map((each) => (each instanceof RecordFailure ? each : placed(outcomes.transformed.next().value, each)));
  }

  #decoded(queue: QueueRef, message: RawMessage, parts?: DecodedRecord): SinkRecord | RecordFailure {
    try {
      return this.options.decoder.decode(queue, message, parts);
    } catch (error) {
      return RecordFailure.of(error, 'ROCKETMQ_CONSUME');
    }
  }
}

/** Returns the outcome with the place of its message: transforms may make records that have none, and never move one. */
function placed(outcome: TransformOutcome, { queue, offset }: SinkRecord): SinkOutcome {
  if (outcome instanceof TransformError) return RecordFailure.of(outcome, 'TRANSFORMATION');
  if (outcome === undefined) return undefined;
  const record: ConnectRecord & Partial<SinkRecord> = outcome;
  return record.queue === queue && record.offset === offset ? (record as SinkRecord) : { ...record, queue, offset };
}
