import type { SinkTaskContext, SourcePartition, SourcePosition, SourceTaskContext, TaskConfig, TaskLogger } from '@sluice/sdk';

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
}

export function sinkTestContext(options: TestContextOptions): SinkTaskContext {
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
    ...sinkTestContext(options),
    position: (partition) => positions.get(partition),
    skipRecord: (error) => {
      if (options.config['errors.tolerance'] !== 'all') throw error;
      options.warnings?.push(`skipped: ${error.message}`);
    },
    waitFor: (reason) => options.waits?.push(reason),
    requestTaskReconfiguration: () => undefined,
  };
}

function canonical(partition: SourcePartition): string {
  return JSON.stringify(Object.entries(partition).sort(([left], [right]) => (left < right ? -1 : 1)));
}
