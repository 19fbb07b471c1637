import { describe, expect, it } from '@jest/globals';
import { foldPosition, type TaskPositions } from './fold-positions.js';
import type { PositionMessage } from './position.codec.js';

const task = { connector: 'c', index: 0 };
const write = (
  generation: number,
  offset: number,
  options: { clean?: boolean; full?: boolean } = {},
): PositionMessage => ({
  kind: 'write',
  ...task,
  generation,
  clean: options.clean ?? false,
  full: options.full ?? false,
  entries: { [`p${String(offset % 2)}`]: { offset } },
  scans: { 't@b:0': { offset } },
});
const fold = (...messages: PositionMessage[]): TaskPositions | undefined =>
  messages.reduce<TaskPositions | undefined>((state, message) => foldPosition(state, message), undefined);

describe('foldPosition', () => {
  it('merges what changed and replaces everything by a full write', () => {
    expect(fold(write(1, 2), write(1, 3))?.entries).toEqual({ p0: { offset: 2 }, p1: { offset: 3 } });
    expect(fold(write(1, 2), write(1, 3, { full: true }))?.entries).toEqual({ p1: { offset: 3 } });
  });

  it('ignores what an older generation writes after the barrier of a newer one', () => {
    const state = fold(write(1, 2), { kind: 'barrier', ...task, generation: 2 }, write(1, 4));
    expect(state).toMatchObject({ generation: 2, entries: { p0: { offset: 2 } } });
  });

  it('counts a task as unclean from the barrier of its owner until that owner stops in good order', () => {
    const barrier: PositionMessage = { kind: 'barrier', ...task, generation: 2 };
    expect(fold(write(1, 2, { clean: true }))?.clean).toBe(true);
    expect(fold(write(1, 2, { clean: true }), barrier)?.clean).toBe(false);
    expect(fold(barrier)?.clean).toBe(false);
    expect(fold(barrier, write(2, 2, { clean: true }))?.clean).toBe(true);
  });
});
