import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

interface ListedTest {
  readonly path: string;
}
interface Order {
  sort(tests: readonly ListedTest[]): readonly ListedTest[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const { LONGEST, default: LongestFirst } = (await import(new URL('../../scripts/longest-first.mjs', import.meta.url).href)) as {
  readonly LONGEST: readonly string[];
  readonly default: new (options: object) => Order;
};

describe('the order of spec files', () => {
  it('names files that exist', () => {
    expect(LONGEST.filter((file) => !existsSync(`${root}${file}`))).toEqual([]);
  });

  it('begins with the longest, whatever Jest knows of the others', () => {
    const context = { config: { id: 'order', cacheDirectory: root, name: 'order' }, hasteFS: { getSize: () => 1_000_000 } };
    const test = (file: string): ListedTest => ({ path: `${root}${file}`, context }) as ListedTest;
    const [longest = '', second = ''] = LONGEST;
    const order = new LongestFirst({}).sort(['libs/other.spec.ts', second, longest].map(test));
    expect(order.map(({ path }) => path.slice(root.length))).toEqual([longest, second, 'libs/other.spec.ts']);
  });
});
