import { describe, expect, it } from '@jest/globals';
import type { MetricSpec } from '@sluice/node';
import { seriesOf } from '../support/alert-rules.js';
import { queryProblems } from '../support/metric-queries.js';
import { PromQlEvaluator, type Sample } from '../support/promql-evaluation.js';
import { parsePromQl } from '../support/promql.js';

/** The value at minute 5 of what is scraped every 15 s. */
function evaluated(text: string, series: Readonly<Record<string, string>>): readonly Sample[] {
  const all = Object.entries(series).map(([selector, values]) => seriesOf(selector, values));
  return new PromQlEvaluator(all, 15_000).vector(parsePromQl(text), 300_000);
}

const specs: Readonly<Record<string, MetricSpec>> = {
  some_total: { type: 'counter', labels: ['connector', 'reason'], help: 'Left out, by reason: lost, skipped.', roles: ['gateway'] },
  some_seconds: { type: 'histogram', labels: ['connector'], help: 'Seconds.', roles: ['gateway'], buckets: [1] },
};

describe('the evaluator of PromQL', () => {
  it.each([
    ['a counter that grows evenly', '0+15x40', 60],
    ['one that was reset', '100+15x12 0+15x40', 60],
    ['one that does not grow', '7x40', 0],
    ['one that began within the range, from 0', '_x17 0+15x40', 45],
  ])('increases as Prometheus does: %s', (_, values, increase) => {
    const given = values.replace(/_x(\d+)/, (_text, count: string) => Array.from({ length: Number(count) }, () => '_').join(' '));
    const [sample] = evaluated('increase(a_total[1m])', { 'a_total{x="1"}': given });
    expect(sample?.value).toBeCloseTo(increase, 6);
    const [rate] = evaluated('rate(a_total[1m])', { 'a_total{x="1"}': given });
    expect(rate?.value).toBeCloseTo(increase / 60, 6);
  });

  it('groups, compares and joins by labels', () => {
    const series = { 'a{x="1",y="1"}': '3x40', 'a{x="1",y="2"}': '4x40', 'a{x="2",y="1"}': '5x40', 'b{x="2"}': '1x40', 'b{x="3"}': '1x40' };
    expect(evaluated('sum by (x) (a)', series)).toEqual([
      { labels: { x: '1' }, value: 7 },
      { labels: { x: '2' }, value: 5 },
    ]);
    expect(evaluated('max by (x) (a) > 4', series)).toEqual([{ labels: { x: '2' }, value: 5 }]);
    expect(evaluated('min by (x) (a) and b', series)).toEqual([{ labels: { x: '2' }, value: 5 }]);
    expect(evaluated('min by (x) (a) < 4 or b', series).map(({ labels }) => labels['x'])).toEqual(['1', '2', '3']);
    expect(evaluated('sum(a{y!="1"})', series)).toEqual([{ labels: {}, value: 4 }]);
    expect(evaluated('a{x=~"1|3",y!~"2"}', series).map(({ value }) => value)).toEqual([3]);
  });

  it('leaves out what the other side has, and looks back by an offset', () => {
    const series = { 'a{x="1"}': '3x40', 'a{x="2"}': '_ _ _ _ _ _ _ _ _ 4x40', 'b{x="1"}': '0x40', 'b{x="3"}': '1x40' };
    expect(evaluated('a unless b', series)).toEqual([{ labels: { x: '2' }, value: 4 }]);
    expect(evaluated('a unless a offset 3m', series)).toEqual([{ labels: { x: '2' }, value: 4 }]);
    expect(evaluated('a unless a offset 2m', series)).toEqual([]);
    expect(evaluated('a{x="1"} and a > 3 or b > 0 unless a', series)).toEqual([{ labels: { x: '3' }, value: 1 }]);
    expect(evaluated('d offset 1m', { 'd{x="1"}': '0+1x40' })).toEqual([{ labels: { x: '1' }, value: 16 }]);
    expect(evaluated('d offset 1h', { 'd{x="1"}': '0+1x40' })).toEqual([]);
  });

  it('forgets a series after five minutes, and a stale one at once', () => {
    expect(evaluated('a', { 'a{x="1"}': '3', 'a{x="2"}': '3 4', 'a{x="3"}': '3x5 stale' })).toEqual([{ labels: { x: '2' }, value: 4 }]);
  });

  it('finds quantiles of histograms, and slopes', () => {
    const buckets = { 'h_bucket{le="1"}': '0x40', 'h_bucket{le="3"}': '0+2x40', 'h_bucket{le="+Inf"}': '0+4x40' };
    expect(evaluated('histogram_quantile(0.25, rate(h_bucket[1m]))', buckets)[0]?.value).toBeCloseTo(2, 6);
    expect(evaluated('histogram_quantile(0.9, rate(h_bucket[1m]))', buckets)[0]?.value).toBe(3);
    expect(evaluated('deriv(a[1m])', { 'a{x="1"}': '5-30x40' })[0]?.value).toBeCloseTo(-2, 6);
    expect(evaluated('min_over_time(a[1m])', { 'a{x="1"}': '5x17 1 5x40' })[0]?.value).toBe(1);
  });

  it.each([
    ['sum by (x) (a) / 2', 'PromQL that nobody here reads, at "/ 2"'],
    ['absent(a)', 'function absent'],
    ['a > b', 'a comparison with something else than a number'],
    ['a[5m] offset 1m', 'offset'],
    ['a offset b', 'an offset of b'],
    ['a > 5m', '5m'],
    ['topk(3, a)', 'function topk'],
    ['sum(a', 'its end'],
  ])('refuses what it does not know by name: %s', (text, problem) => {
    expect(() => parsePromQl(text)).toThrow(problem);
  });
});

describe('the check of queries', () => {
  it.each([
    ['sum by (connector) (rate(some_total{reason=~"lost|skipped",job="sluice"}[1m]))', []],
    ['histogram_quantile(0.9, sum by (le, connector) (rate(some_seconds_bucket[1m])))', []],
    ['rate(some_seconds_sum[1m])', []],
    ['other_total', ['there is no metric other_total']],
    ['some_seconds', ['there is no metric some_seconds']],
    ['some_total_bucket', ['there is no metric some_total_bucket']],
    ['some_total{task="0"}', ['some_total has no label task']],
    ['sum by (task) (some_total)', ['some_total has no label task to group by']],
    ['sum by (le) (some_seconds_count)', ['some_seconds_count has no label le to group by']],
    ['some_total{reason=~"lost|gone"}', ['some_total has no reason gone, as far as its help says']],
  ])('%s', (text, problems) => {
    expect(queryProblems(parsePromQl(text), specs)).toEqual(problems);
  });
});
