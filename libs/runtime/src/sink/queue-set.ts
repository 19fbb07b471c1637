import { queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import type { QueueStart } from './prepare-start.js';
import { type IntakeContext, MessageConversionFailure, QueueIntake } from './queue-intake.js';

/** The queues that a task reads now. */
export class QueueSet {
  private readonly intakes = new Map<string, QueueIntake>();
  private first = 0;

  constructor(private readonly context: IntakeContext) {}

  get isEmpty(): boolean {
    return this.intakes.size === 0;
  }

  get hasMessages(): boolean {
    for (const intake of this.intakes.values()) if (intake.hasMessages) return true;
    return false;
  }

  get queues(): readonly QueueRef[] {
    return [...this.intakes.values()].map(({ queue }) => queue);
  }

  /** Those of which records were taken since the last flush. */
  get advanced(): readonly QueueIntake[] {
    return [...this.intakes.values()].filter((intake) => intake.isAdvanced);
  }

  all(): readonly QueueIntake[] {
    return [...this.intakes.values()];
  }

  get(queue: QueueRef): QueueIntake | undefined {
    return this.intakes.get(queueKey(queue));
  }

  positions(): readonly SinkPosition[] {
    return [...this.intakes.values()].map((intake) => intake.position());
  }

  notYetRead(queues: readonly QueueRef[]): readonly QueueRef[] {
    return queues.filter((queue) => !this.intakes.has(queueKey(queue)));
  }

  add(start: QueueStart): void {
    const intake = new QueueIntake(start, this.context);
    this.intakes.set(intake.key, intake);
    intake.start();
  }

  /** Gives queues up; what was read of them and not taken is dropped. */
  async remove(queues: readonly QueueRef[]): Promise<void> {
    const removed = queues.flatMap((queue) => this.get(queue) ?? []);
    for (const { key } of removed) this.intakes.delete(key);
    await Promise.all(removed.map((intake) => intake.close()));
  }

  /** Takes up to `max` records of all queues in turn, beginning with another queue each time. */
  take(max: number): { readonly records: SinkRecord[]; readonly failure: MessageConversionFailure | undefined } {
    const records: SinkRecord[] = [];
    const intakes = this.all();
    this.first++;
    try {
      for (let n = 0; n < intakes.length && records.length < max; n++) {
        intakes[(this.first + n) % intakes.length]?.take(records, max);
      }
      return { records, failure: undefined };
    } catch (error) {
      if (error instanceof MessageConversionFailure) return { records, failure: error };
      throw error;
    }
  }

  /** Resolves when nothing is read any more; positions stay. */
  async stopReading(): Promise<void> {
    await Promise.all(this.all().map((intake) => intake.close()));
  }
}
