import { describe, expect, it } from '@jest/globals';
import { emptyState, initialCoordinator, TaskTable, type CoordinatorState, type TaskState } from '@sluice/core';
import { PositionKeeper } from './position-keeper.js';

const hourMs = 3_600_000;

/** A leader of a log up to entry 70 with stopped connectors that have stored positions. */
function leading(...names: readonly string[]): CoordinatorState {
  const tasks = names.map((connector): TaskState => {
    return { id: { connector, index: 0 }, type: 'source', overrides: {}, committed: true };
  });
  const connectors = names.map((name) => {
    return [name, { name, type: 'source', config: {}, configVersion: 1, targetState: 'STOPPED' }] as const;
  });
  const head = { offset: 70, seq: 70, digest: 'd' };
  const cluster = { ...emptyState(), head, tasks: TaskTable.of(tasks), connectors: new Map(connectors) };
  return { ...initialCoordinator({ nodeId: 'c1', incarnation: 'c1#1' }, cluster, { now: 0, wall: 0 }), role: 'leader' };
}

describe('the keeper of positions', () => {
  const keeping = (
    state: () => CoordinatorState,
    refresh: (connector: string) => Promise<void> = () => Promise.resolve(),
    isDue: (connector: string, beforeMs: number) => boolean = () => true,
    catchUp: () => Promise<void> = () => Promise.resolve(),
  ): { keeper: PositionKeeper; asked: unknown[][]; warnings: string[] } => {
    const asked: unknown[][] = [];
    const warnings: string[] = [];
    const quiet = (): void => undefined;
    const logger = { debug: quiet, info: quiet, warn: (text: string) => warnings.push(text), error: quiet };
    const positions = {
      catchUp,
      isDue,
      refreshFor: (...args: [connector: string, asOf: number, beforeMs: number]) => {
        asked.push(args);
        return refresh(args[0]);
      },
    };
    return { keeper: new PositionKeeper({ positions, state, logger }), asked, warnings };
  };

  it('lets be written again what is older than two hours, of each connector that nobody runs', async () => {
    const { keeper, asked } = keeping(() => leading('a', 'b'));
    await keeper.keep(5 * hourMs);
    expect(asked).toEqual([
      ['a', 70, 3 * hourMs],
      ['b', 70, 3 * hourMs],
    ]);
  });

  it('leaves alone what is not due, and those that a task keeps unless retention comes near to them', async () => {
    const due: [string, number][] = [];
    const attended = leading('a', 'b', 'c');
    const { tasks } = attended.cluster;
    const state = { ...attended, cluster: { ...attended.cluster, tasks: TaskTable.of([...tasks.values()].slice(1)) } };
    const { keeper, asked } = keeping(
      () => state,
      undefined,
      (connector, beforeMs) => {
        due.push([connector, beforeMs]);
        return connector !== 'b';
      },
    );
    await keeper.keep(5 * hourMs);
    expect(due).toEqual([
      ['a', 0],
      ['b', 3 * hourMs],
      ['c', 3 * hourMs],
    ]);
    expect(asked).toEqual([
      ['a', 70, 0],
      ['c', 70, 3 * hourMs],
    ]);
  });

  it('warns that it cannot read the positions, and looks again later', async () => {
    const unreadable = (): Promise<void> => Promise.reject(new Error('no broker'));
    const { keeper, asked, warnings } = keeping(() => leading('a'), undefined, undefined, unreadable);
    await keeper.keep(5 * hourMs);
    expect(asked).toEqual([]);
    expect(warnings).toEqual(['The positions cannot be read, so old ones were not written again: no broker']);
  });

  it('does nothing unless it leads, and ends with the lead', async () => {
    let state: CoordinatorState = { ...leading('a', 'b'), role: 'standby' };
    const { keeper, asked } = keeping(
      () => state,
      () => {
        state = { ...state, role: 'standby' };
        return Promise.resolve();
      },
    );
    await keeper.keep(0);
    expect(asked).toEqual([]);
    state = leading('a', 'b');
    await keeper.keep(0);
    expect(asked).toHaveLength(1);
  });

  it('warns of a failure and continues with the next connector', async () => {
    const { keeper, asked, warnings } = keeping(
      () => leading('a', 'b'),
      (connector) => (connector === 'a' ? Promise.reject(new Error('no broker')) : Promise.resolve()),
    );
    await keeper.keep(0);
    expect(asked).toHaveLength(2);
    expect(warnings).toEqual(['Old positions of connector a were not written again: no broker']);
  });

  it('stops at once while it waits', async () => {
    const { keeper, asked } = keeping(() => leading('a'));
    keeper.start();
    await keeper.stop();
    expect(asked).toEqual([]);
  });
});
