import { describe, expect, it } from '@jest/globals';
import { BrokerHealth } from './broker-health.js';

describe('broker health', () => {
  it('leaves a broker alone for longer with every failure, and for nothing once it works', () => {
    const health = new BrokerHealth({ initialMs: 100, maxMs: 300 });
    expect(health.notBefore('a')).toBe(-Infinity);
    health.failed('a', 1_000);
    const first = health.notBefore('a') - 1_000;
    expect(first).toBeGreaterThanOrEqual(50);
    expect(first).toBeLessThanOrEqual(100);
    // Batches that were under way when the first one failed.
    health.failed('a', 1_010);
    expect(health.notBefore('a')).toBe(1_000 + first);
    health.failed('a', 2_000);
    expect(health.notBefore('a') - 2_000).toBeGreaterThanOrEqual(100);
    for (let now = 3_000; now < 9_000; now += 1_000) health.failed('a', now);
    expect(health.notBefore('a') - 8_000).toBeLessThanOrEqual(300);
    expect(health.notBefore('b')).toBe(-Infinity);
    health.succeeded('a');
    expect(health.notBefore('a')).toBe(-Infinity);
  });
});
