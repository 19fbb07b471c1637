import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RememberedPositions, sourceContract, sourceTestContext } from '@sluice/testing';
import { SampleClient } from '../sample-client.js';
import { sampleSource } from './sample-source.connector.js';

describe('every source, here the sample source', () => {
  const cases = sourceContract({
    connector: sampleSource,
    brokenConfig: { topic: 't' },
    setUp: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-sample-source-'));
      const path = join(folder, 'entries');
      const client = await SampleClient.connect(path);
      return {
        config: { path, topic: 't' },
        append: (values) => client.append(values),
        tearDown: async () => {
          await client.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  });
  it.each(cases)('$title', ({ run }) => run());
});

describe('the sample source', () => {
  it('refuses a stored position that is none of its own', async () => {
    const positions = new RememberedPositions();
    positions.set({ path: '/nowhere' }, { offset: 7 });
    const task = sampleSource.createTask();
    const started = task.start(sourceTestContext({ config: { path: '/nowhere', topic: 't' } }, positions));
    await expect(started).rejects.toThrow('The stored position of /nowhere is {"offset":7}');
    await task.stop();
  });
});
