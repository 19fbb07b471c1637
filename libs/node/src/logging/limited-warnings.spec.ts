import { expect, it } from '@jest/globals';
import { LimitedWarnings } from './limited-warnings.js';

it('many warnings are one line per ten seconds, which counts the others', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const warnings = new LimitedWarnings({ warn: (text) => void lines.push(text) }, () => nowMs);
  for (nowMs = 0; nowMs <= 20_000; nowMs += 1_000) warnings.warn(`at ${String(nowMs)}`);
  expect(lines).toEqual(['at 0', 'at 10000 (and 9 more before)', 'at 20000 (and 9 more before)']);
});
