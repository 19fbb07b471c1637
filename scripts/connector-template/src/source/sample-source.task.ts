import { setTimeout as pause } from 'node:timers/promises';
import {
  ConnectError,
  ConnectErrorCode,
  requireTaskConfig,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@sluice/sdk';
import { SampleClient } from '../sample-client.js';
import { sampleSourceSpec } from './settings.js';

/** How long a poll waits when there is nothing to read. */
const IDLE_MS = 200;

interface Reading {
  readonly client: SampleClient;
  readonly path: string;
  readonly topic: string;
  readonly batchSize: number;
}

/** Reads entries in their order. The position of a record is the number of the entry after it. */
export class SampleSourceTask implements SourceTask {
  #reading: Reading | undefined;
  #next = 0;

  async start(context: SourceTaskContext): Promise<void> {
    const settings = requireTaskConfig(context, sampleSourceSpec);
    const { path, topic } = settings;
    this.#next = nextOf(path, context.position({ path }));
    this.#reading = { client: await SampleClient.connect(path), path, topic, batchSize: settings['batch.size'] };
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    if (this.#reading === undefined) {
      throw new ConnectError(ConnectErrorCode.internal, 'The sample source is used before its start.');
    }
    const { client, path, topic, batchSize } = this.#reading;
    const entries = await client.read(this.#next, batchSize);
    if (entries.length === 0) await pause(IDLE_MS, undefined, { signal }).catch(() => undefined);
    const first = this.#next;
    this.#next += entries.length;
    return entries.map((value, index) => ({
      topic,
      value,
      schema: { type: 'string' },
      partition: { path },
      position: { next: first + index + 1 },
    }));
  }

  async stop(): Promise<void> {
    await this.#reading?.client.close();
    this.#reading = undefined;
  }
}

function nextOf(path: string, position: SourcePosition | undefined): number {
  if (position === undefined) return 0;
  const { next } = position;
  if (typeof next === 'number' && Number.isSafeInteger(next) && next >= 0) return next;
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The stored position of ${path} is ${JSON.stringify(position)}; next must be a whole number from 0.`,
  );
}
