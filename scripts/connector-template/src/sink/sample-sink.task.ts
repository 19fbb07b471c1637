import {
  ConnectError,
  ConnectErrorCode,
  queueKey,
  requireTaskConfig,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@sluice/sdk';
import { SampleClient } from '../sample-client.js';
import { sampleSinkSpec } from './settings.js';

/** Appends records as they come and makes them durable in `flush`; a record may be there twice after a crash between the two. */
export class SampleSinkTask implements SinkTask {
  #client: SampleClient | undefined;

  async start(context: SinkTaskContext): Promise<void> {
    const { path } = requireTaskConfig(context, sampleSinkSpec);
    this.#client = await SampleClient.connect(path);
  }

  /** Returns no positions, as sample keeps none: the runtime resumes at the offsets of the consumer group. */
  open(): Promise<readonly SinkPosition[]> {
    return Promise.resolve([]);
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    if (records.length > 0) await this.#connected().append(records.map(textOf));
  }

  async flush(): Promise<void> {
    await this.#connected().sync();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
  }

  #connected(): SampleClient {
    if (this.#client !== undefined) return this.#client;
    throw new ConnectError(ConnectErrorCode.internal, 'The sample sink is used before its start.');
  }
}

function textOf({ value, queue, offset }: SinkRecord): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  throw new ConnectError(
    ConnectErrorCode.recordInvalid,
    `The record at offset ${offset} of queue ${queueKey(queue)} is ${value === null ? 'null' : `of type ${typeof value}`}; ` +
      'the sample sink writes text.',
  );
}
