import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const root = new URL('../../', import.meta.url);

it('README leads to every page for operators', () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const pages = readdirSync(new URL('docs/operations/', root)).map((name) => `docs/operations/${name}`);
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.filter((page) => !readme.includes(`](${page})`))).toEqual([]);
});
