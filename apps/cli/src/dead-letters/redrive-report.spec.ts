import { describe, expect, it } from '@jest/globals';
import { QUEUE } from '../testing/letter-message.js';
import { RedriveReport } from './redrive-report.js';

const at = (offset: number): { queue: typeof QUEUE; offset: number } => ({ queue: QUEUE, offset });

describe('the report of a redrive', () => {
  it('counts what was sent, and what each filter left out', () => {
    const report = new RedriveReport('orders-dead', false);
    report.addSent('orders');
    report.addSent('orders');
    report.addSent('refunds');
    report.addFiltered('--stage');
    report.redrivenBefore = 7;
    expect(report.exitCode).toBe(0);
    expect(report.asText()).toBe(
      'Dead letter topic orders-dead: sent 3 letters\n  to topic orders: 2\n  to topic refunds: 1\n  redriven before: 7\n  left out by --stage: 1',
    );
    expect(report.asJson()).toMatchObject({
      sent: 3,
      sentTo: { orders: 2, refunds: 1 },
      redrivenBefore: 7,
      filtered: { '--stage': 1 },
      notSent: {},
      stopped: null,
    });
  });

  it('names what was not sent, and why', () => {
    const report = new RedriveReport('orders-dead', false);
    report.addNotSent('unknown-outcome', at(8), 'no answer');
    expect(report.exitCode).toBe(3);
    expect(report.asText()).toContain('NOT SENT: 1 letter that may have been stored or not');
    expect(report.asText()).toContain('broker-a/3 offset 8: no answer');
    for (let offset = 0; offset < 25; offset += 1) report.addNotSent('of-a-source', at(offset));
    expect(report.asText()).toContain(
      '25 letters that are of a source and hold the value as JSON with its schema: give --source-letters=as-json',
    );
    expect(report.asText()).toContain('    and 5 more');
    expect(report.asJson()).toMatchObject({ notSent: { 'of-a-source': { count: 25 } } });
  });

  it.each([
    ['limit', 0],
    ['signal', 1],
    ['error', 1],
  ] as const)('where its %s ended it, has exit code %i', (by, code) => {
    const report = new RedriveReport('orders-dead', true);
    report.stopped = { by, reason: 'it had to be' };
    expect(report.exitCode).toBe(code);
    expect(report.asText()).toContain('would send 0 letters\n  STOPPED: it had to be');
  });
});
