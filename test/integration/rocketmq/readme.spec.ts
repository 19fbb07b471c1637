import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const library = fileURLToPath(new URL('../../../libs/rocketmq', import.meta.url));
/** Below the package, so that its own name leads to what was built. */
const folder = join(library, 'dist', 'readme-examples');
const namesrv = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const grpc = process.env['SLUICE_TEST_GRPC'] ?? '127.0.0.1:8081';

interface Example {
  readonly title: string;
  readonly code: string;
  readonly output: string;
}

function examplesOf(markdown: string): readonly Example[] {
  const pattern = /^## (.+)$|^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm;
  const examples: Example[] = [];
  let title = '';
  for (const [, heading, code, output] of markdown.matchAll(pattern)) {
    if (heading !== undefined) title = heading;
    if (code !== undefined && output !== undefined) examples.push({ title, code, output });
  }
  return examples;
}

const markdown = await readFile(join(library, 'README.md'), 'utf8');
const examples = examplesOf(markdown);

/** Each one continues from what the one before left in the broker. */
describe("the README's examples", () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('are all found, with what they print', () => {
    expect(examples).toHaveLength(markdown.split('```js\n').length - 1);
    expect(examples.length).toBeGreaterThan(4);
  });

  it.each(examples)('$title prints what it says', async ({ title, code, output }) => {
    const file = join(folder, `${title.replaceAll(' ', '-')}.mjs`);
    await writeFile(file, code.replaceAll('127.0.0.1:9876', namesrv).replaceAll('127.0.0.1:8081', grpc));
    const { stdout } = await run(process.execPath, [file], {
      timeout: 25_000,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stdout).toBe(output);
  });
});
