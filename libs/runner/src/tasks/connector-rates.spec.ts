import { describe, expect, it } from '@jest/globals';
import { taskKey, type DesiredTask } from '@sluice/core';
import { ConnectorRates } from './connector-rates.js';

const limited = { 'rate.limit.records.per.second': '100', 'rate.limit.bytes.per.second': '3000' };

function desired(connector: string, indexes: readonly number[], config: DesiredTask['config']): ReadonlyMap<string, DesiredTask> {
  return new Map(
    indexes.map((index) => {
      const id = { connector, index };
      return [taskKey(id), { id, generation: 1, type: 'sink', config, paused: false, committed: false }];
    }),
  );
}

describe('the rates of the connectors of a runner', () => {
  it('are its part of each limit, by the tasks that it has', () => {
    const rates = new ConnectorRates(() => 0);
    const connectors = new Map([['a', { taskCount: 4 }]]);
    rates.update(desired('a', [0, 2, 3], limited), connectors);
    const rate = rates.of('a');
    expect(rate.limits).toEqual({ records: 75, bytes: 2250 });
    rates.update(desired('a', [2], limited), connectors);
    expect(rate.limits).toEqual({ records: 25, bytes: 750 });
    expect(rates.of('a')).toBe(rate);
    rates.update(desired('a', [2], limited), new Map([['a', { taskCount: 1 }]]));
    expect(rate.limits).toEqual({ records: 100, bytes: 3000 });
  });

  it('are together never more than the limit', () => {
    const connectors = new Map([['a', { taskCount: 7 }]]);
    const parts = [[0, 1, 4], [2, 3], [5], [6]].map((indexes) => {
      const rates = new ConnectorRates(() => 0);
      rates.update(desired('a', indexes, limited), connectors);
      return rates.of('a').limits;
    });
    expect(parts.reduce((sum, { records = 0 }) => sum + records, 0)).toBeLessThanOrEqual(100);
    expect(parts.reduce((sum, { bytes = 0 }) => sum + bytes, 0)).toBeLessThanOrEqual(3000);
  });

  it('change while tasks run: set, changed, removed', () => {
    const rates = new ConnectorRates(() => 0);
    const connectors = new Map([['a', { taskCount: 1 }]]);
    rates.update(desired('a', [0], {}), connectors);
    const rate = rates.of('a');
    expect(rate.isLimited).toBe(false);
    rates.update(desired('a', [0], { 'rate.limit.records.per.second': '5' }), connectors);
    expect(rate.limits).toEqual({ records: 5, bytes: undefined });
    rates.update(desired('a', [0], { 'rate.limit.bytes.per.second': '8' }), connectors);
    expect(rate.limits).toEqual({ records: undefined, bytes: 8 });
    rates.update(desired('a', [0], {}), connectors);
    expect(rate.isLimited).toBe(false);
  });

  it('are forgotten with the last task of the connector', () => {
    const rates = new ConnectorRates(() => 0);
    rates.update(desired('a', [0], limited), new Map([['a', { taskCount: 1 }]]));
    const rate = rates.of('a');
    rates.update(new Map(), new Map());
    expect(rates.of('a')).not.toBe(rate);
    expect(rates.of('a').isLimited).toBe(false);
  });
});
