import {
  type AgreedPairs,
  ConnectError,
  ConnectErrorCode,
  type ConnectorContext,
  MAX_POSITIONS_PER_CALL,
  type SinkPosition,
  type SinkTaskContext,
  type SourcePartition,
  type SourcePosition,
  type SourceRecord,
  type SourceTaskContext,
  type SplitContext,
  type TaskConfig,
  type TaskContext,
  type TaskLogger,
} from '@sluice/sdk';

/** A logger that keeps what was said. */
export class RecordedLogger implements TaskLogger {
  readonly lines: string[] = [];

  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }

  info(message: string): void {
    this.lines.push(`info ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }

  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

/** Pairs that are agreed upon at once, by one alone. */
export class RememberedPairs implements AgreedPairs {
  readonly #pairs = new Map<string, string>();

  read(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#pairs));
  }

  extend(pairs: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const values = new Set(this.#pairs.values());
    for (const [key, value] of pairs) {
      if (this.#pairs.has(key) || values.has(value)) continue;
      this.#pairs.set(key, value);
      values.add(value);
    }
    return this.read();
  }
}

/** Makes what `taskConfigs` gets beside the settings. */
export function splitTestContext(options: Partial<SplitContext> = {}): SplitContext {
  return { connectorName: 'test', pairs: new RememberedPairs(), signal: new AbortController().signal, ...options };
}

/** Positions by partition, compared by content. */
export class RememberedPositions {
  readonly #positions = new Map<string, SourcePosition>();

  set(partition: SourcePartition, position: SourcePosition): void {
    // Positions are kept between runs: the task must not rely on the object that it gave.
    this.#positions.set(canonical(partition), structuredClone(position));
  }

  get(partition: SourcePartition): SourcePosition | undefined {
    return this.#positions.get(canonical(partition));
  }
}

export interface TestContextOptions {
  readonly config: TaskConfig;
  readonly signal?: AbortSignal;
  readonly generation?: number;
  readonly logger?: TaskLogger;
  /** What was warned of. */
  readonly warnings?: string[];
  /** What a source said that it waits for. */
  readonly waits?: (string | undefined)[];
  /** The marks that a source asked for, and why. */
  readonly unreadable?: Map<SourceRecord, ConnectError>;
  /** Where a sink asked to read on. */
  readonly seeks?: SinkPosition[];
  /** After how long a sink wanted to be called again. */
  readonly timeouts?: number[];
  /** The errors that an instance raised. */
  readonly raised?: unknown[];
  /** Called when a source says that it has no more data. */
  readonly onComplete?: () => void;
}

export function sinkTestContext(options: TestContextOptions): SinkTaskContext {
  return {
    ...testContext(options),
    requestCommit: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    timeout: (delayMs) => options.timeouts?.push(delayMs),
    seek: (positions) => options.seeks?.push(...positions),
    skipRecord: (_record, error) => {
      skip(options, error);
      return Promise.resolve();
    },
  };
}

function testContext(options: TestContextOptions): TaskContext {
  return {
    connectorName: 'contract',
    taskIndex: 0,
    generation: options.generation ?? 1,
    config: options.config,
    logger: options.logger ?? new RecordedLogger(),
    warn: (message) => options.warnings?.push(message),
    signal: options.signal ?? new AbortController().signal,
  };
}

export function sourceTestContext(options: TestContextOptions, positions = new RememberedPositions()): SourceTaskContext {
  return {
    ...testContext(options),
    position: (partition) => positions.get(partition),
    positions: (partitions) => {
      if (partitions.length <= MAX_POSITIONS_PER_CALL) return partitions.map((partition) => positions.get(partition));
      throw new ConnectError(ConnectErrorCode.requestInvalid, `${partitions.length} positions in one call`);
    },
    unreadable: (partition, position, error) => {
      const mark = { topic: '', value: null, partition, position };
      options.unreadable?.set(mark, error);
      return mark;
    },
    passOver: (partition, position) => ({ topic: '', value: null, partition, position }),
    skipRecord: (error) => {
      skip(options, error);
    },
    complete: () => options.onComplete?.(),
    waitFor: (reason) => options.waits?.push(reason),
    requestTaskReconfiguration: () => undefined,
  };
}

export function instanceTestContext(options: TestContextOptions): ConnectorContext {
  const { connectorName, generation, config, logger, signal } = testContext(options);
  return {
    connectorName,
    generation,
    config,
    logger,
    signal,
    requestTaskReconfiguration: () => undefined,
    agreedPairs: () => Promise.resolve(new Map()),
    raiseError: (error) => options.raised?.push(error),
  };
}

function skip({ config, warnings }: TestContextOptions, error: ConnectError): void {
  if (config['errors.tolerance'] !== 'all') throw error;
  warnings?.push(`skipped: ${error.message}`);
}

function canonical(partition: SourcePartition): string {
  return JSON.stringify(Object.entries(partition).sort(([left], [right]) => (left < right ? -1 : 1)));
}
