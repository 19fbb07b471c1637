import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FilterStateError, StreamFilter } from './stream-filter.js';

const minuteMs = 60_000;

function stamp(generation: number, seq: number, stream = 's', task = 'k'): Parameters<StreamFilter['judge']>[0] {
  return { task, stream, generation, seq };
}

describe('the filter against duplicate records', () => {
  it('accepts each seq of a generation once, holes included', () => {
    const filter = new StreamFilter();
    expect([1, 2, 2, 1, 5, 4, 6].map((seq) => filter.judge(stamp(1, seq), 0))).toEqual([
      'accept',
      'accept',
      'repeated-seq',
      'repeated-seq',
      'accept',
      'repeated-seq',
      'accept',
    ]);
  });

  it('drops an older generation after the barrier of a newer one, in every stream of the task', () => {
    const filter = new StreamFilter();
    filter.judge(stamp(3, 1), 0);
    filter.barrier('k', 4, 0);
    expect(filter.judge(stamp(3, 2), 0)).toBe('older-generation');
    expect(filter.judge(stamp(3, 1, 'never seen'), 0)).toBe('older-generation');
    expect(filter.judge(stamp(3, 2, 's2', 'other task'), 0)).toBe('accept');
    filter.barrier('k', 2, 0);
    expect(filter.judge(stamp(4, 2), 0)).toBe('accept');
  });

  it('drops the old task of a stream that moved to another task with a higher generation', () => {
    const filter = new StreamFilter();
    filter.judge(stamp(3, 8, 's', 'old'), 0);
    filter.judge(stamp(5, 9, 's', 'new'), 0);
    expect(filter.judge(stamp(3, 9, 's', 'old'), 0)).toBe('older-generation');
  });

  it('voids the generation that a stream came from, and not the next one of its task, by a barrier just above it', () => {
    const filter = new StreamFilter();
    filter.judge(stamp(10, 4, 'moved', 'old'), 0);
    filter.judge(stamp(10, 7, 'stays', 'old'), 0);
    // The new owner of the one stream examines what generation 10 left; generation 19 has the other stream.
    filter.barrier('old', 11, 0);
    filter.barrier('new', 20, 0);
    expect(filter.judge(stamp(10, 5, 'moved', 'old'), 0)).toBe('older-generation');
    expect(filter.judge(stamp(20, 5, 'moved', 'new'), 0)).toBe('accept');
    expect(filter.judge(stamp(19, 8, 'stays', 'old'), 0)).toBe('accept');
    expect(filter.judge(stamp(10, 8, 'stays', 'old'), 0)).toBe('older-generation');
    expect(filter.judge(stamp(19, 6, 'moved', 'old'), 0)).toBe('older-generation');
  });

  it('lets a newer generation start its seqs again, as one does whose connector was deleted and created again', () => {
    const filter = new StreamFilter();
    filter.judge(stamp(3, 1000), 0);
    expect(filter.judge(stamp(4, 1), 0)).toBe('accept');
    expect(filter.judge(stamp(4, 1), 0)).toBe('repeated-seq');
  });

  it('judges alike when its state is stored and restored at any point', () => {
    const event = fc.record({
      isBarrier: fc.boolean(),
      task: fc.constantFrom('k1', 'k2'),
      stream: fc.constantFrom('s1', 's2', 's3'),
      generation: fc.integer({ min: 1, max: 5 }),
      seq: fc.integer({ min: 1, max: 20 }),
      restores: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const whole = new StreamFilter();
        let restored = new StreamFilter();
        for (const [index, { isBarrier, restores, ...origin }] of events.entries()) {
          const atMs = index * minuteMs;
          if (isBarrier) {
            whole.barrier(origin.task, origin.generation, atMs);
            restored.barrier(origin.task, origin.generation, atMs);
          } else expect(restored.judge(origin, atMs)).toBe(whole.judge(origin, atMs));
          if (restores) restored = StreamFilter.restore(restored.serialize());
        }
      }),
    );
  });

  it('stores generation, seq and minute of each stream', () => {
    const filter = new StreamFilter();
    filter.judge(stamp(1, 2, 'a'), 0);
    filter.judge(stamp(1, 3, 'b'), 40 * minuteMs);
    filter.judge(stamp(40, 4, 'c', 'other'), 40 * minuteMs);
    filter.judge(stamp(1, 50, 'd'), 41 * minuteMs);
    expect(filter.serialize()).toBe('1;k:1:15,other:14:14;a:1:2:0,b:1:3:14,c:14:4:14,d:1:1e:15');
  });

  const streamsOf = (filter: StreamFilter): readonly string[] => filter.serialize().split(';')[2]!.split(',');
  const id = (n: number): string => n.toString(36).padStart(8, '0');

  it('remembers all partitions of a source whose keys use every queue, 30,000 of them, in a megabyte of text', () => {
    let filter = new StreamFilter();
    const verdicts = (seq: number): readonly string[] => {
      const found = new Set<string>();
      for (let n = 0; n < 30_000; n++) found.add(filter.judge(stamp(1_000_000_000, seq, id(n)), 28_000_000 * minuteMs));
      return [...found];
    };
    expect(verdicts(1_000_000_000)).toEqual(['accept']);
    filter = StreamFilter.restore(filter.serialize());
    expect(verdicts(1_000_000_001)).toEqual(['accept']);
    expect(verdicts(1_000_000_001)).toEqual(['repeated-seq']);
    expect(filter.forgotten).toBe(0);
    expect(filter.serialize().length).toBeLessThan(1024 * 1024);
  });

  it('forgets the streams that were silent longest when there are too many, and counts them; and those silent for too long, which it does not', () => {
    const filter = new StreamFilter({ maxTextBytes: 3200, maxSilenceMs: 60 * minuteMs });
    for (let n = 0; n < 1000; n++) filter.judge(stamp(1, 1, id(n)), n * 10);
    expect(streamsOf(filter).length).toBeLessThanOrEqual(100);
    expect(filter.serialize().length).toBeLessThanOrEqual(3200);
    expect(filter.forgotten).toBe(1000 - streamsOf(filter).length);
    expect(filter.judge(stamp(1, 1, id(999)), 10_000)).toBe('repeated-seq');
    const before = filter.forgotten;
    filter.judge(stamp(1, 1, 'later'), 200 * minuteMs);
    expect(streamsOf(filter)).toEqual([expect.stringMatching(/^later:1:1:/)]);
    expect(filter.forgotten).toBe(before);
  });

  it('forgets first what a newer generation of the task has voided: its duplicates are recognised all the same', () => {
    const filter = new StreamFilter({ maxTextBytes: 3200, maxSilenceMs: 60 * minuteMs });
    for (let n = 0; n < 60; n++) filter.judge(stamp(1, 7, id(n)), 5 * minuteMs);
    for (let n = 0; n < 40; n++) filter.judge(stamp(1, 7, `other-${n}`, 'other task'), 0);
    filter.barrier('k', 2, 6 * minuteMs);
    for (let n = 100; n < 150; n++) filter.judge(stamp(2, 1, id(n)), 6 * minuteMs);
    expect(filter.forgotten).toBe(0);
    for (let n = 0; n < 40; n++) expect(filter.judge(stamp(1, 7, `other-${n}`, 'other task'), 6 * minuteMs)).toBe('repeated-seq');
    for (let n = 0; n < 60; n++) expect(filter.judge(stamp(1, 7, id(n)), 6 * minuteMs)).toBe('older-generation');
  });

  it('refuses a state that is damaged', () => {
    for (const text of ['x', '2;;', '1;k:1;', '1;k:1:1;s:1:1', '1;k:1:-;s:1:1:1', '1;k:1:1;:1:1:1', '1;;;']) {
      expect(() => StreamFilter.restore(text)).toThrow(FilterStateError);
    }
  });
});
