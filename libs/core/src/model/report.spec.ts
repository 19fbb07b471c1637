import { describe, expect, it } from '@jest/globals';
import { MAX_LEVEL } from './feature-level.js';
import { isReport, reportIntervalMs } from './report.js';

const plugin = { name: 'FileSource', kind: 'source', aliases: ['Old'] };
const report = { capacity: 1, plugins: [plugin], labels: { zone: 'a' } };

describe('reportIntervalMs', () => {
  it.each([
    [1, 1000],
    [500, 1000],
    [750, 1500],
    [1000, 2000],
    [5000, 2000],
  ])('of %d nodes is %d ms', (nodes, intervalMs) => {
    expect(reportIntervalMs(nodes, MAX_LEVEL)).toBe(intervalMs);
  });

  it('is a second as long as some node may be of a build that expects it', () => {
    expect([3, 4].map((level) => reportIntervalMs(1000, level))).toEqual([1000, 2000]);
  });
});

describe('isReport', () => {
  it('takes what nodes say', () => {
    expect(isReport(report)).toBe(true);
    expect(isReport({ capacity: 0, plugins: [] })).toBe(true);
  });

  it.each<[string, object]>([
    ['no capacity', { ...report, capacity: undefined }],
    ['more capacity than a node can have', { ...report, capacity: 1e9 }],
    ['no plugins', { ...report, plugins: undefined }],
    ['a plugin that is nothing', { ...report, plugins: [null] }],
    ['a plugin without aliases', { ...report, plugins: [{ ...plugin, aliases: undefined }] }],
    ['labels that are nothing', { ...report, labels: null }],
  ])('refuses %s', (_what, other) => {
    expect(isReport(other)).toBe(false);
  });
});
