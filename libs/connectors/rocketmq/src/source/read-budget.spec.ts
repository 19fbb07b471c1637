import { describe, expect, it } from '@jest/globals';
import { ReadBudget } from './read-budget.js';

describe('the budget of what is read ahead', () => {
  it('is shared: one queue may hold all of it', () => {
    const budget = new ReadBudget(100);
    const [one, other] = [budget.part(), budget.part()];
    one.add(99, 1);
    expect(one.hasRoom(0, 1)).toBe(true);
    expect(one.hasRoom(1, 1)).toBe(false);
    other.add(1, 1);
    expect(one.hasRoom(0, 1)).toBe(false);
  });

  it('leaves each queue an equal share where the others hold all', () => {
    const budget = new ReadBudget(100);
    const [one, other] = [budget.part(), budget.part()];
    one.add(100, 1);
    expect(other.hasRoom(49, 1)).toBe(true);
    expect(other.hasRoom(50, 1)).toBe(false);
    budget.part();
    expect(other.hasRoom(40, 1)).toBe(false);
  });

  it('takes back what was taken, and the share of a queue that ended', () => {
    const budget = new ReadBudget(100);
    const [one, other, third] = [budget.part(), budget.part(), budget.part()];
    one.add(100, 1);
    third.end();
    expect(other.hasRoom(45, 1)).toBe(true);
    one.add(-100, -1);
    expect(other.hasRoom(99, 1)).toBe(true);
  });
});
