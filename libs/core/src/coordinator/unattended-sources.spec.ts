import { describe, expect, it } from '@jest/globals';
import type { RunState, TaskReport } from '../model/report.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { unattendedSources } from './unattended-sources.js';

/** Connector `a` with two tasks on w1, of which the first has committed if so said. */
function running(committed = true): CoordinatorHarness {
  const node = CoordinatorHarness.leading();
  node.report('w1');
  node.create('a', 2);
  node.answer();
  node.report('w1', { tasks: reported(node, ['RUNNING', 'RUNNING'], committed) });
  return node;
}

function reported(node: CoordinatorHarness, states: readonly RunState[], committed = true): TaskReport[] {
  return states.map((state, index) => {
    const generation = node.state.cluster.tasks.get(`a-${index}`)?.assignment?.generation ?? -1;
    return { id: { connector: 'a', index }, generation, state, since: 0, committed, counters: {} };
  });
}

const unattended = ({ state }: CoordinatorHarness): readonly string[] => unattendedSources(state.cluster, state.reports);

describe('source connectors whose positions nobody keeps', () => {
  it('are not those of which one task runs or is paused', () => {
    const node = running();
    expect(unattended(node)).toEqual([]);
    node.report('w1', { tasks: reported(node, ['FAILED', 'PAUSED']) });
    expect(unattended(node)).toEqual([]);
  });

  it('are those whose tasks have all failed, or are not reported', () => {
    const node = running();
    node.report('w1', { tasks: reported(node, ['FAILED', 'RESTARTING']) });
    expect(unattended(node)).toEqual(['a']);
    node.report('w1', { tasks: [] });
    expect(unattended(node)).toEqual(['a']);
  });

  it('are those that are stopped, or whose runner is gone', () => {
    const stopped = running();
    stopped.command({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    stopped.report('w1', { tasks: [] });
    stopped.pass(100, ['w1']);
    expect(stopped.owner('a-0')).toBeUndefined();
    expect(unattended(stopped)).toEqual(['a']);
    const alone = running();
    alone.report('w1', { leaving: true, tasks: [] });
    alone.pass(100);
    expect(unattended(alone)).toEqual(['a']);
  });

  it('are none that have stored nothing, or are deleted', () => {
    const fresh = running(false);
    fresh.report('w1', { tasks: [] });
    expect(unattended(fresh)).toEqual([]);
    const deleted = running();
    deleted.command({ kind: 'connector.delete', name: 'a' });
    expect(unattended(deleted)).toEqual([]);
  });

  it('do not count a report of another generation', () => {
    const node = running();
    node.report('w1', {
      tasks: reported(node, ['RUNNING', 'RUNNING']).map((task) => ({ ...task, generation: task.generation - 1 })),
    });
    expect(unattended(node)).toEqual(['a']);
  });
});
