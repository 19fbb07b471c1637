import { describe, expect, it } from '@jest/globals';
import type { ResolvedTask } from '@sluice/runtime';
import { SecretWatch } from './secret-watch.js';

const taskOf = (
  connector: string,
  values: Readonly<Record<string, string>>,
  config: Readonly<Record<string, string>> = {},
): ResolvedTask => ({
  id: { connector, index: 0 },
  generation: 1,
  type: 'source',
  config,
  paused: false,
  committed: false,
  resolved: Object.entries(values).map(([source, value]) => ({ source, value })),
});

class World {
  values: Record<string, { readonly value: string; readonly ttlMs?: number }> = {};
  readonly asked: (readonly string[])[] = [];
  readonly renewed: string[] = [];
  readonly lines: string[] = [];
  nowMs = 0;
  held = new Set<string>();
  readonly watch = new SecretWatch({
    secrets: {
      current: (sources) => {
        this.asked.push(sources);
        return Promise.resolve(new Map(Object.entries(this.values).filter(([source]) => sources.includes(source))));
      },
    },
    held: () => this.held,
    renew: (key) => this.renewed.push(key),
    logger: { info: (line) => this.lines.push(line), debug: () => undefined },
    nowMs: () => this.nowMs,
    intervalMs: 10_000,
  });

  note(task: ResolvedTask): void {
    this.held.add(`${task.id.connector}-0`);
    this.watch.note(task, task);
  }

  look(): Promise<void> {
    this.nowMs += 10_000;
    return this.watch.look();
  }
}

describe('the watch over secrets', () => {
  it('restarts the tasks that use a value that has changed, once', async () => {
    const world = new World();
    world.note(taskOf('a', { '${f:x}': 'one', '${f:y}': 'same' }));
    world.note(taskOf('b', { '${f:y}': 'same' }));
    world.note(taskOf('c', { '${f:x}': 'one' }, { 'secrets.reload': 'none' }));
    world.note(taskOf('d', { '${f:x}': 'one' }, { 'config.action.reload': 'none' }));
    world.values = { '${f:x}': { value: 'two' }, '${f:y}': { value: 'same' } };
    await world.look();
    await world.look();
    expect(world.renewed).toEqual(['a-0']);
    expect(world.lines).toEqual(['Task a-0 restarts: the value of ${f:x} has changed']);
    expect(world.asked[0]).toEqual(['${f:x}', '${f:y}']);
    world.note(taskOf('a', { '${f:x}': 'two' }));
    await world.look();
    expect(world.renewed).toEqual(['a-0']);
  });

  it('changes nothing while a value is not available', async () => {
    const world = new World();
    world.note(taskOf('a', { '${f:x}': 'one' }));
    await world.look();
    expect(world.renewed).toEqual([]);
    world.values = { '${f:x}': { value: 'two' } };
    await world.look();
    expect(world.renewed).toEqual(['a-0']);
  });

  it('asks again no sooner than a value says that it holds', async () => {
    const world = new World();
    world.note(taskOf('a', { '${f:x}': 'one' }));
    world.values = { '${f:x}': { value: 'one', ttlMs: 25_000 } };
    for (let look = 0; look < 6; look += 1) await world.look();
    expect(world.asked.map(({ length }) => length)).toEqual([1, 0, 0, 1, 0, 0]);
  });

  it('forgets tasks that the node does not hold', async () => {
    const world = new World();
    world.note(taskOf('a', { '${f:x}': 'one' }));
    world.held.clear();
    world.values = { '${f:x}': { value: 'two' } };
    await world.look();
    expect([world.renewed, world.asked]).toEqual([[], [[]]]);
  });
});
