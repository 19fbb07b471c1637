import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { PULL_LIMITS } from '@sluice/embedded-rocketmq';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('the limits of a pull', () => {
  it.each(['docker/rocketmq/broker.conf', 'docker/rocketmq/broker-b.conf', 'docs/operations/brokers.md'])(
    'in %s are those of the brokers that Sluice starts',
    async (file) => {
      const text = await readFile(join(root, file), 'utf8');
      expect(Object.fromEntries(Array.from(text.matchAll(/^(maxTransfer\w+)=(\d+)$/gm), ([, name, value]) => [name, value]))).toEqual(
        PULL_LIMITS,
      );
    },
  );
});
