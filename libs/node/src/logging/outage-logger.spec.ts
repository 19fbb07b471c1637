import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OutageLogger } from './outage-logger.js';

describe('OutageLogger', () => {
  let lines: string[];
  let outage: OutageLogger;

  beforeEach(() => {
    lines = [];
    outage = new OutageLogger(
      { info: (line) => void lines.push(`info ${line}`), warn: (line) => void lines.push(`warn ${line}`) },
      'Letters are sent again',
    );
  });

  it('logs the first failure of many, and their end', () => {
    outage.failed('no post');
    outage.failed('still no post');
    outage.failed('still no post');
    outage.worked();
    expect(lines).toEqual(['warn no post', expect.stringMatching(/^info Letters are sent again, after 3 failure\(s\) in \d+\.\d s$/)]);
  });

  it('logs an outage that lasts once a minute', () => {
    const now = jest.spyOn(performance, 'now');
    for (let second = 1; second <= 125; second += 1) {
      now.mockReturnValue(second * 1000);
      outage.failed('no post');
    }
    now.mockRestore();
    expect(lines).toEqual(['warn no post', 'warn no post (for 60 s, 61 failures)', 'warn no post (for 120 s, 121 failures)']);
  });

  it('says nothing of what works', () => {
    outage.worked();
    outage.worked();
    expect(lines).toEqual([]);
  });

  it('logs each outage', () => {
    for (const reason of ['flood', 'storm']) {
      outage.failed(reason);
      outage.worked();
      outage.worked();
    }
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual(['warn flood', 'warn storm']);
    expect(lines).toHaveLength(4);
  });
});
