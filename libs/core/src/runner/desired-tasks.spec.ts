import { describe, expect, it } from '@jest/globals';
import { LogWriter } from '../testing/log-writer.js';
import { DesiredTasks, desiredTasks } from './desired-tasks.js';

const w1 = { nodeId: 'w1', incarnation: 'w1#1' };

describe('desiredTasks', () => {
  it('names the tasks of this incarnation with generation, settings and pause', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.join('w2');
    log.connector('a', 2);
    const generation = log.assign('a', 0, 'w1');
    log.assign('a', 1, 'w2');
    log.write({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    const desired = desiredTasks(log.state, w1);
    expect([...desired.keys()]).toEqual(['a-0']);
    expect(desired.get('a-0')).toMatchObject({ generation, paused: true, type: 'source', committed: false });
    expect(desired.get('a-0')?.config).toMatchObject({ 'connector.class': 'FileSource', file: 'f0' });
  });

  it('has for a first task the settings of its connector that its tasks were made from', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 2);
    log.assign('a', 0, 'w1');
    log.assign('a', 1, 'w1');
    const before = log.state.connectors.get('a')?.config;
    const desired = new DesiredTasks(w1);
    expect(desired.in(log.state).get('a-0')?.connectorConfig).toBe(before);
    expect(desired.in(log.state).get('a-1')).not.toHaveProperty('connectorConfig');
    const config = { ...before, tables: 'x' };
    const configVersion = log.write({ kind: 'connector.put', name: 'a', type: 'source', config, targetState: 'RUNNING' });
    expect(desired.in(log.state).get('a-0')?.connectorConfig).toBe(before);
    const task = desired.in(log.state).get('a-0')?.config;
    const same = ['f0', 'f1'].map((file) => ({ file, tables: null }));
    log.write({ kind: 'tasks.configured', name: 'a', configVersion, tasks: same });
    expect(desired.in(log.state).get('a-0')).toMatchObject({ config: task, connectorConfig: config });
  });

  it('names nothing that is revoked, and nothing for another incarnation', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 2);
    log.assign('a', 0, 'w1');
    log.assign('a', 1, 'w1');
    log.write({ kind: 'tasks.revoked', tasks: [{ connector: 'a', index: 0 }], reason: 'moved' });
    expect([...desiredTasks(log.state, w1).keys()]).toEqual(['a-1']);
    expect(desiredTasks(log.state, { ...w1, incarnation: 'w1#2' }).size).toBe(0);
    log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    expect(desiredTasks(log.state, w1).size).toBe(0);
  });

  it('are the same map until something of them changes, and follow every change', () => {
    const log = LogWriter.started();
    const desired = new DesiredTasks(w1);
    const names = (): string[] => [...desired.in(log.state).keys()].sort();
    expect(names()).toEqual([]);
    log.join('w1');
    log.join('w2');
    log.connector('a', 2);
    log.connector('b', 1);
    log.assign('a', 0, 'w1');
    log.assign('b', 0, 'w2');
    expect(names()).toEqual(['a-0']);
    const before = desired.in(log.state);
    log.write({ kind: 'lease.renewed' });
    log.write({ kind: 'tasks.committed', tasks: [{ connector: 'b', index: 0 }] });
    expect(desired.in(log.state)).toBe(before);
    log.write({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    expect(desired.in(log.state).get('a-0')).toMatchObject({ paused: true });
    log.assign('a', 1, 'w1');
    expect(names()).toEqual(['a-0', 'a-1']);
    const first = desired.in(log.state).get('a-0');
    log.write({ kind: 'tasks.committed', tasks: [{ connector: 'a', index: 1 }] });
    expect(desired.in(log.state).get('a-1')).toMatchObject({ committed: true });
    expect(desired.in(log.state).get('a-0')).toBe(first);
    log.write({ kind: 'connector.deleted', name: 'a' });
    expect(names()).toEqual([]);
    expect([...desired.in(log.state)]).toEqual([...desiredTasks(log.state, w1)]);
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    expect(names()).toEqual([]);
  });

  it('keep the settings that they were made from until their connector is split again', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 1);
    log.assign('a', 0, 'w1');
    const { config } = log.state.connectors.get('a')!;
    const put = (more: Readonly<Record<string, string>>): number =>
      log.write({
        kind: 'connector.put',
        name: 'a',
        type: 'source',
        config: { ...config, ...more },
        targetState: 'RUNNING',
      });
    put({ topic: 'first' });
    put({ topic: 'second' });
    expect(desiredTasks(log.state, w1).get('a-0')?.config).toEqual({ ...config, file: 'f0' });
    const configVersion = put({ topic: 'second' });
    log.write({ kind: 'tasks.configured', name: 'a', configVersion, tasks: [{ file: 'f1', 'tasks.max': null }] });
    log.write({ kind: 'tasks.released', tasks: [{ connector: 'a', index: 0 }] });
    log.assign('a', 0, 'w1');
    expect(desiredTasks(log.state, w1).get('a-0')?.config).toEqual({
      'connector.class': 'FileSource',
      topic: 'second',
      file: 'f1',
    });
  });
});
