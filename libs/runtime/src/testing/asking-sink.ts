import type { QueueRef, SinkPosition, SinkRecord, SinkTaskContext } from '@sluice/sdk';
import { TransactionalSink } from './transactional-sink.js';

/** Hands its context to the spec, which acts through it. */
export class AskingSink extends TransactionalSink {
  context!: SinkTaskContext;
  whenOpened: (queues: readonly QueueRef[]) => void = () => undefined;
  beforePut: (records: readonly SinkRecord[]) => void = () => undefined;
  beforeFlush: (positions: readonly SinkPosition[]) => void = () => undefined;

  get values(): readonly unknown[] {
    return this.puts.flat().map(({ value }) => value);
  }

  override start(...[context]: Parameters<TransactionalSink['start']> | [SinkTaskContext]): Promise<void> {
    this.context = context as SinkTaskContext;
    return super.start();
  }

  override open(queues: readonly QueueRef[]): ReturnType<TransactionalSink['open']> {
    this.whenOpened(queues);
    return super.open(queues);
  }

  override put(...given: Parameters<TransactionalSink['put']>): Promise<void> {
    this.beforePut(given[0]);
    return super.put(...given);
  }

  override flush(positions: readonly SinkPosition[]): Promise<void> {
    this.beforeFlush(positions);
    return super.flush(positions);
  }
}
