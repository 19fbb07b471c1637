import { describe, expect, it } from '@jest/globals';
import { LogWriter } from '../testing/log-writer.js';
import { desiredTasks } from './desired-tasks.js';

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
});
