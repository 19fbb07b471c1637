import type { ConnectRecord, Transform } from '@sluice/sdk';

/** A transform that knows values only once it has asked for them, as one that asks another system. Puts them in `<` and `>`. */
export class AskingTransform implements Transform {
  /** The values of each question. */
  readonly asked: unknown[][] = [];
  isClosed = false;
  /** Called with each question before it is answered; may throw. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  readonly #known = new Map<unknown, string>();

  async prepare(records: readonly ConnectRecord[]): Promise<void> {
    this.asked.push(records.map(({ value }) => value));
    await this.beforeAnswer();
    for (const { value } of records) this.#known.set(value, `<${value as string}>`);
  }

  apply(given: ConnectRecord): ConnectRecord {
    const value = this.#known.get(given.value);
    if (value === undefined) throw new Error(`${given.value as string} was not prepared`);
    return { ...given, value };
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
