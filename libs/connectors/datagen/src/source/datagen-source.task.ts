import { setTimeout as delay } from 'node:timers/promises';
import {
  ConfigError,
  type ConfigOf,
  ConnectError,
  ConnectErrorCode,
  requireTaskConfig,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@sluice/sdk';
import { NumberedRecords } from './numbered-records.js';
import { recordsOfPartition } from './numbering.js';
import { Pace } from './pace.js';
import { PartitionGenerator } from './partition-generator.js';
import type { GeneratorPartition, RecordMaker } from './record-maker.js';
import { type ChosenSchema, readChosenSchema } from './schema-settings.js';
import { datagenTaskSpec } from './settings.js';
import { StructRecords } from './struct-records.js';

/** The most bytes of values in one batch. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** A poll without records answers after this long. */
const MAX_IDLE_MS = 1000;

interface StartedTask {
  readonly complete: () => void;
  readonly generators: readonly PartitionGenerator[];
  readonly batchSize: number;
  readonly rate: number;
}

/** Makes the records of its partitions: in each batch a run of every partition, at the rate of the task. */
export class DatagenSourceTask implements SourceTask {
  #started: StartedTask | undefined;
  /** The time of the first poll begins the schedule. */
  #pace: Pace | undefined;
  /** The partition that the next batch begins with. */
  #turn = 0;

  async start(context: SourceTaskContext): Promise<void> {
    this.#started = await startedTask(context);
    this.#completeIfDone(this.#started);
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const { generators, batchSize, rate } = this.#running();
    const idleUntilMs = performance.now() + MAX_IDLE_MS;
    while (!signal.aborted) {
      const nowMs = performance.now();
      const open = generators.filter((generator) => !generator.isDone);
      let waitMs = idleUntilMs - nowMs;
      if (open.length > 0) {
        if (rate === 0) return this.#make(open, batchSize);
        this.#pace ??= new Pace(rate, nowMs);
        const due = Math.min(this.#pace.due(nowMs), batchSize);
        if (due > 0) {
          const records = this.#make(open, due);
          this.#pace.take(records.length);
          return records;
        }
        waitMs = Math.min(waitMs, this.#pace.untilDueMs(nowMs));
      }
      if (nowMs >= idleUntilMs) return [];
      await delay(Math.max(1, waitMs), undefined, { signal }).catch(() => undefined);
    }
    return [];
  }

  stop(): Promise<void> {
    this.#started = undefined;
    return Promise.resolve();
  }

  /** Makes up to `count` records, as many of each partition. */
  #make(open: readonly PartitionGenerator[], count: number): readonly SourceRecord[] {
    const records: SourceRecord[] = [];
    const createdMs = Date.now();
    const run = Math.ceil(count / open.length);
    for (let n = 0; n < open.length && records.length < count; n += 1) {
      open[this.#turn % open.length]?.make(Math.min(run, count - records.length), createdMs, records);
      this.#turn += 1;
    }
    this.#completeIfDone(this.#running());
    return records;
  }

  #completeIfDone({ generators, complete }: StartedTask): void {
    if (generators.every((generator) => generator.isDone)) complete();
  }

  #running(): StartedTask {
    if (this.#started !== undefined) return this.#started;
    throw new ConnectError(ConnectErrorCode.internal, 'The generator polls before its start.');
  }
}

async function startedTask(context: SourceTaskContext): Promise<StartedTask> {
  const config = requireTaskConfig(context, datagenTaskSpec);
  const { makerOf, meanBytes } = recordMakers(config, await readChosenSchema(config));
  const { records, partitions, rate } = config;
  return {
    complete: () => {
      context.complete();
    },
    generators: ownPartitions(context, config).map((partition) => {
      const name = { seed: config.seed, partition };
      const maker = makerOf(name);
      const stored = context.position(name);
      return new PartitionGenerator(
        maker,
        stored === undefined ? 0 : maker.seqOf(stored),
        recordsOfPartition(records, partitions, partition),
      );
    }),
    batchSize: Math.max(1, Math.min(config['batch.size'], Math.floor(MAX_BATCH_BYTES / meanBytes))),
    rate,
  };
}

interface RecordMakers {
  readonly makerOf: (partition: GeneratorPartition) => RecordMaker;
  /** Of a value. */
  readonly meanBytes: number;
}

function recordMakers(config: ConfigOf<typeof datagenTaskSpec>, chosen: ChosenSchema | undefined): RecordMakers {
  const { topic, partitions, keys } = config;
  const late = { share: config['late.record.share'], meanMs: config['late.record.mean.ms'] };
  if (chosen !== undefined) {
    const settings = { topic, partitions, ...chosen, verificationHeader: config['verification.header'], late };
    return { makerOf: (partition) => new StructRecords(settings, partition), meanBytes: chosen.struct.maxBytes };
  }
  const recordSize = config['record.size'];
  const large = { share: config['large.record.share'], size: config['large.record.size'] };
  const settings = { topic, partitions, keys, recordSize, payloadKind: config['payload.kind'], keysSkew: config['keys.skew'], large, late };
  // A poll has no more than the share of large records by chance: their mean limits it.
  const meanBytes = large.share * large.size + (1 - large.share) * recordSize;
  return { makerOf: (partition) => new NumberedRecords(settings, partition), meanBytes };
}

function ownPartitions({ connectorName, taskIndex }: SourceTaskContext, config: ConfigOf<typeof datagenTaskSpec>): readonly number[] {
  return config['task.partitions'].map((text) => {
    const partition = Number(text);
    if (Number.isSafeInteger(partition) && partition >= 0 && partition < config.partitions) return partition;
    const message = `Invalid value ${text} for configuration task.partitions: Value must be a number below ${config.partitions}`;
    throw new ConfigError(`Configuration of task ${connectorName}-${taskIndex}`, [{ field: 'task.partitions', message }]);
  });
}
