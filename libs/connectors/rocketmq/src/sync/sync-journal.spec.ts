import { describe, expect, it } from '@jest/globals';
import { SyncJournal } from './sync-journal.js';

function journal(): { readonly it: SyncJournal; readonly lines: string[] } {
  const lines: string[] = [];
  const log = (level: string) => (message: string) => {
    lines.push(`${level} ${message}`);
  };
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  return { it: new SyncJournal(logger), lines };
}

describe('SyncJournal', () => {
  it('logs what stays the same once, and again after it was different', () => {
    const { it: one, lines } = journal();
    const round = (why: string | undefined): void => {
      one.begin();
      if (why !== undefined) {
        one.failed('create group', why);
        one.problem('groups of broker-a at the source', why);
        one.left('group g', why);
        one.noted('group g', why);
        one.planned(why);
      }
      one.roundEnded(true);
    };
    round('refused');
    round('refused');
    expect(lines).toEqual([
      'warn Configuration sync: failed: create group: refused',
      'warn Configuration sync: cannot read groups of broker-a at the source: refused',
      'info Configuration sync: left as it is: group g: refused',
      'warn Configuration sync: not copied: group g: refused',
      'info Configuration sync: would refused',
    ]);
    expect(one.status()).toMatchObject({
      rounds: 2,
      failed: 2,
      applied: 0,
      failures: ['create group: refused'],
      left: ['group g: refused'],
    });
    round(undefined);
    expect(one.status()).toMatchObject({ rounds: 3, failed: 2, failures: [], problems: [], left: [], notes: [], planned: [] });
    round('refused');
    expect(lines).toHaveLength(10);
  });

  it('counts what succeeds, and rounds that came to an end', () => {
    const { it: one, lines } = journal();
    one.begin();
    one.applied('create group');
    one.applied('create group');
    one.roundEnded(false);
    expect(one.status()).toMatchObject({ rounds: 0, applied: 2 });
    expect(lines).toHaveLength(2);
  });

  it('lists no more than a hundred of each, and says how many there are beyond', () => {
    const { it: one } = journal();
    one.begin();
    for (let at = 0; at < 103; at += 1) one.left(`group ${at}`, 'kept');
    one.roundEnded(true);
    const { left, unlisted } = one.status();
    expect([left.length, unlisted]).toEqual([100, 3]);
  });
});
