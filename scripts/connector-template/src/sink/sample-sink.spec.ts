import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sinkContract, sinkTestContext } from '@sluice/testing';
import { SampleClient } from '../sample-client.js';
import { sampleSink } from './sample-sink.connector.js';

describe('every sink, here the sample sink', () => {
  const cases = sinkContract({
    connector: sampleSink,
    brokenConfig: {},
    storesOffsets: false,
    setUp: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-sample-sink-'));
      const path = join(folder, 'entries');
      const client = await SampleClient.connect(path);
      return {
        config: { path },
        read: () => client.read(0, 1000),
        tearDown: async () => {
          await client.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  });
  it.each(cases)('$title', ({ run }) => run());
});

describe('the sample sink', () => {
  it('names the record that it cannot write', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-sample-sink-'));
    const task = sampleSink.createTask();
    try {
      await task.start(sinkTestContext({ config: { path: join(folder, 'entries') } }));
      const queue = { topic: 't', brokerName: 'b', queueId: 3 };
      await expect(task.put([{ topic: 't', queue, offset: 7, value: null }], new AbortController().signal)).rejects.toThrow(
        'The record at offset 7 of queue t@b:3 is null',
      );
    } finally {
      await task.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
