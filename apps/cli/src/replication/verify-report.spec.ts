import { describe, expect, it } from '@jest/globals';
import { type FindingKind, Findings } from '@sluice/replication';
import type { PairResult } from './compare-pair.js';
import { EXIT_CODES, VerifyReport } from './verify-report.js';

const SOURCE = { topic: 'orders', brokerName: 'a', queueId: 0 };

function result(found: readonly (readonly [FindingKind, number, number, string?])[] = [], notYetCopied = 0): PairResult {
  const findings = new Findings();
  for (const [kind, from, to, detail] of found) findings.add(kind, from, to, detail);
  const before = { local: 2, otherFlows: 0, barriers: 1 };
  const copies = { queue: { ...SOURCE, brokerName: 'b\u001b[2J' }, stream: 's', targetOffset: 0, sourceOffset: 0, seq: 1, before };
  return { pair: { source: SOURCE, copies }, comparison: { compared: 5, leftOut: 3, notYetCopied, findings, ranges: [] }, others: before };
}

const reportOf = (results: readonly PairResult[], isFromFirstCopy = false): VerifyReport =>
  new VerifyReport({ from: 'rocketmq://a', to: 'rocketmq://b', results, isFromFirstCopy });

describe('the report of a comparison', () => {
  it.each([
    ['nothing', [], 0, 'equal', 0],
    [
      'a difference beside something unknown',
      [
        ['unreadable', 1, 2],
        ['missing', 3, 4],
      ],
      1,
      'different',
      1,
    ],
    ['what is not yet copied', [], 4, 'unproven', 3],
    ['something unknown', [['removed-at-source', 0, 2]], 0, 'unproven', 3],
  ] as const)('comes with %s to its verdict', (_, found, notYetCopied, verdict, code) => {
    const report = reportOf([result(), result(found, notYetCopied)]);
    expect([report.verdict, EXIT_CODES[report.verdict]]).toEqual([verdict, code]);
    expect(report.asJson()).toMatchObject({ verdict, compared: 10, queues: [{ verdict: 'equal' }, { verdict }] });
  });

  it('leaves out what is before the first copy, and nothing else, where the options say so', () => {
    expect(reportOf([result([['before-first-copy', 0, 4]])]).verdict).toBe('unproven');
    expect(reportOf([result([['before-first-copy', 0, 4]])], true).verdict).toBe('equal');
    expect(
      reportOf(
        [
          result([
            ['before-first-copy', 0, 4],
            ['unreadable', 5, 6],
          ]),
        ],
        true,
      ).verdict,
    ).toBe('unproven');
  });

  it('names queues, offsets and what they are, without what a terminal acts on', () => {
    const text = reportOf([
      result(
        [
          ['missing', 3, 6],
          ['missing', 8, 9],
          ['different', 7, 8, 'body, own\n'],
          ['removed-at-source', 0, 2],
        ],
        4,
      ),
    ]).asText();
    expect(text.split('\n')).toEqual([
      'Compared 1 queue of 1 topic of rocketmq://a with rocketmq://b',
      "  orders a/0 -> orders b\\u001b[2J/0: 5 compared, 4 not yet copied, 3 left out by the flow, 2 of the target's own",
      '    4 offsets MISSING at the target',
      '      3 to 5',
      '      8',
      '    1 offset DIFFERENT',
      '      7: body, own ',
      '    2 offsets unknown: retention removed them at the source',
      '      0 to 1',
      'DIFFERENT: 5 offsets of the source',
    ]);
  });

  it('shows the first offsets and counts the others', () => {
    const many = Array.from({ length: 1_100 }, (_, index) => ['missing', index * 2, index * 2 + 1] as const);
    const lines = reportOf([result(many)])
      .asText()
      .split('\n');
    expect(lines).toHaveLength(25);
    expect(lines.slice(2, 4)).toEqual(['    1100 offsets MISSING at the target', '      0']);
    expect(lines[23]).toBe('      and 1080 more');
    expect(reportOf([result(many)]).asJson()).toMatchObject({ queues: [{ findings: { missing: { count: 1100, unlisted: 100 } } }] });
  });
});
