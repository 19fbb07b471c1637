import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { SDK_VERSION } from './plugin.js';

describe('the version of the sdk', () => {
  it('is that of its package', async () => {
    const { version } = JSON.parse(await readFile('libs/sdk/package.json', 'utf8')) as { version: string };
    expect(SDK_VERSION).toBe(version);
  });
});
