import { describe, expect, it } from '@jest/globals';
import { planStart, SnapshotMissingError } from './start-plan.js';
import { tailVerdict } from './tail-check.js';

const head = (offset: number) => ({ offset, seq: offset, digest: 'd' });

describe('where to start reading', () => {
  it.each([
    ['a local copy within the queue', head(5), { minOffset: 0, maxOffset: 6 }, { kind: 'local' }],
    ['a local copy at the first entry left', head(5), { minOffset: 5, maxOffset: 9 }, { kind: 'local' }],
    ['a local copy that is too old', head(5), { minOffset: 6, maxOffset: 9 }, { kind: 'snapshot', isRequired: true }],
    ['a local copy beyond the end', head(6), { minOffset: 0, maxOffset: 6 }, { kind: 'rewritten' }],
    ['nothing, with a short log', undefined, { minOffset: 0, maxOffset: 100 }, { kind: 'beginning' }],
    ['nothing, with a long log', undefined, { minOffset: 0, maxOffset: 101 }, { kind: 'snapshot', isRequired: false }],
    ['nothing, without the head', undefined, { minOffset: 1, maxOffset: 2 }, { kind: 'snapshot', isRequired: true }],
  ])('with %s', (_, local, bounds, plan) => {
    expect(planStart(local, bounds, 100)).toMatchObject(plan);
  });

  it('is an error where there is neither head nor snapshot', () => {
    const error = new SnapshotMissingError({ minOffset: 10, maxOffset: 20 }, [{ doneOffset: 12, reason: 'cut' }]);
    expect(error.message).toContain('before offset 10 are gone');
    expect(error.message).toContain('the one at offset 12 is not valid: cut');
    expect(error.bounds).toEqual({ minOffset: 10, maxOffset: 20 });
  });
});

describe('the log that was read', () => {
  const tail = { offset: 7, digest: 'a' };
  it.each([
    ['continues where its last message is unchanged', 'a', { minOffset: 0, maxOffset: 8 }, undefined],
    ['is another one where that has changed', 'b', { minOffset: 0, maxOffset: 9 }, 'is another one'],
    ['was cut where it ends before', undefined, { minOffset: 0, maxOffset: 7 }, 'no entry at offset 7 any more'],
    ['has lost entries that were not read', undefined, { minOffset: 9, maxOffset: 12 }, '8 to 8 are gone'],
    ['continues where retention took just what was read', undefined, { minOffset: 8, maxOffset: 12 }, undefined],
  ])('%s', (_, found, bounds, reason) => {
    const broken = tailVerdict(tail, found, bounds);
    if (reason === undefined) expect(broken).toBe('same');
    else expect(broken).toEqual({ broken: expect.stringContaining(reason) });
  });
});
