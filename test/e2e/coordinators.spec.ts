import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { eventsIn, type ReadEntry } from '@sluice/core';
import { readWholeLog } from '../support/control-log.js';
import { SluiceCluster, until, type RoleHandle } from '../support/sluice-cluster.js';

/** The lease of a leader and what a command may take on top of it after the leader's death, in milliseconds. */
const leaseMs = 3000;
const answeredWithinMs = leaseMs + 2000;
const standstillMs = 30_000;
/** Far beyond what is promised: a busy machine must not fail the test. */
const patienceMs = 180_000;

const tell = (text: string): void => {
  process.stderr.write(`coordinators: ${text}\n`);
};

describe('several coordinators', () => {
  let cluster: SluiceCluster;
  const coordinators = (): readonly RoleHandle[] => cluster.roles.filter(({ role }) => role === 'coordinator');
  const logs = (): string =>
    coordinators()
      .map((role) => `\n--- ${role.id}\n${role.log.slice(-2000)}`)
      .join('');
  const running = (handle: RoleHandle): boolean => handle.isRunning;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    for (const id of ['coordinator-2', 'coordinator-3']) {
      cluster.add('coordinator', id).start();
      await untilUp(cluster.role(id));
    }
    const file = cluster.path('in.txt');
    await writeFile(file, 'one\n');
    const config = {
      'connector.class': 'FileStreamSource',
      file,
      topic: cluster.topic('lines'),
      'topic.creation.default.partitions': '1',
    };
    expect((await cluster.request('POST', '/connectors', { name: 'in', config })).status).toBe(201);
    await cluster.untilTask('in', 'RUNNING');
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const untilUp = (handle: RoleHandle, starts = 1): Promise<true> =>
    until(
      `${handle.id} is up`,
      () => handle.log.split('is up').length > starts,
      patienceMs,
      () => handle.log,
    );

  /** The epoch that a coordinator claimed last. */
  const epochOf = ({ log }: RoleHandle): number => Number([...log.matchAll(/Leads from now on, epoch (\d+)/g)].at(-1)?.[1] ?? -1);

  const leader = (): RoleHandle =>
    [...coordinators()].sort((left, right) => epochOf(right) - epochOf(left))[0] ?? cluster.role('coordinator-1');

  const untilAnotherLeads = (than: RoleHandle): Promise<RoleHandle> =>
    until('another one leads', () => (leader() === than ? undefined : leader()), patienceMs, logs);

  /** A command that changes something, and how long its answer takes. */
  const command = async (action: 'pause' | 'resume'): Promise<number> => {
    const started = performance.now();
    const { status, body } = await cluster.request('PUT', `/connectors/in/${action}`);
    expect({ status, body }).toMatchObject({ status: 202 });
    return performance.now() - started;
  };

  const kindsAfter = (entries: readonly ReadEntry[], kind: string): readonly ReadEntry[] =>
    entries.slice(entries.map(({ entry }) => entry.event.kind).lastIndexOf(kind as never));

  it('one of them leads, the others stand by', () => {
    expect(coordinators().filter((handle) => epochOf(handle) > 0)).toEqual([cluster.role('coordinator-1')]);
    expect(coordinators().every(running)).toBe(true);
  });

  it('a leader that is asked to stop resigns in the log, and another leads at once', async () => {
    const before = leader();
    expect(await before.kill('SIGTERM')).toBe(0);
    const after = await untilAnotherLeads(before);
    const { accepted } = await readWholeLog(cluster);
    const [resigned, claimed] = kindsAfter(accepted, 'leader.resigned');
    expect(claimed?.entry.event).toMatchObject({ kind: 'claimed', nodeId: after.id });
    tell(`another leads ${claimed!.entry.at - resigned!.entry.at} ms after a resignation (promised: 1000 ms)`);
    expect(claimed!.entry.at - resigned!.entry.at).toBeLessThan(leaseMs);
    await command('pause');
    before.start();
    await untilUp(before, 2);
  }, 300_000);

  it('kill -9 of the leader: the successor answers commands', async () => {
    const before = leader();
    await before.kill('SIGKILL');
    const answeredMs = await command('resume');
    tell(`a command is answered ${answeredMs.toFixed(0)} ms after kill -9 of the leader (promised: ${answeredWithinMs} ms)`);
    expect(answeredMs).toBeLessThan(4 * answeredWithinMs);
    expect(leader()).not.toBe(before);
    before.start();
    await untilUp(before, epochOf(before) > 0 ? before.log.split('is up').length : 1);
  }, 300_000);

  it('a leader that is suspended for 30 s steps down when it resumes, and nothing is decided twice', async () => {
    const sleeper = leader();
    await sleeper.kill('SIGSTOP');
    const answeredMs = await command('pause');
    tell(`a command is answered ${answeredMs.toFixed(0)} ms after the suspension of the leader`);
    await delay(standstillMs);
    const successor = await untilAnotherLeads(sleeper);
    await sleeper.kill('SIGCONT');
    await until('the sleeper has ended itself', () => !sleeper.isRunning, patienceMs, logs);
    expect(sleeper.log).toMatch(/Leads no longer \(epoch \d+\)/);
    expect(await sleeper.ended).toBe(1);
    await command('resume');
    expect(leader()).toBe(successor);

    const { state, accepted } = await readWholeLog(cluster);
    const results = accepted.flatMap(({ entry }) =>
      eventsIn(entry.event).flatMap((event) => (event.kind === 'command.done' ? [event.result] : [])),
    );
    expect(new Set(results.map(({ requestId }) => requestId)).size).toBe(results.length);
    expect(new Set(results.map(({ commandOffset }) => commandOffset)).size).toBe(results.length);
    const targets = accepted.flatMap(({ entry }) =>
      eventsIn(entry.event).flatMap((event) => (event.kind === 'connector.target' ? [event.targetState] : [])),
    );
    expect(targets).toEqual(['PAUSED', 'RUNNING', 'PAUSED', 'RUNNING']);
    expect(accepted.filter(({ entry }) => entry.event.kind === 'claimed')).toHaveLength(state.epoch);
    expect(state.leader).toMatchObject({ nodeId: successor.id, resigned: false });
    tell(`${accepted.length} entries count, ${state.skipped} of late or void claims do not`);

    sleeper.start();
    await untilUp(sleeper, 2);
    expect(leader()).toBe(successor);
  }, 300_000);

  describe('a second node with the id of one that lives', () => {
    /** Ends with what it says last. */
    const startTwin = async (name: string, storePath: string): Promise<string> => {
      const twin = cluster.add('sink-runner', name, { SLUICE_NODE_ID: 'sink-runner-1', SLUICE_STORE_PATH: storePath });
      twin.start();
      await until(
        'the twin has ended',
        () => !twin.isRunning,
        patienceMs,
        () => twin.log,
      );
      expect(await twin.ended).toBe(1);
      return twin.log;
    };

    it('does not start on the same store', async () => {
      expect(await startTwin('twin-here', cluster.path('store'))).toMatch(
        /sink-runner cannot continue: Node id sink-runner-1 is in use: .*sink-runner-1\/lock is held by process \d+ on host/,
      );
    }, 300_000);

    it('does not start with another store, as on another host', async () => {
      expect(await startTwin('twin-there', cluster.path('another-store'))).toMatch(
        /sink-runner cannot continue: Node id sink-runner-1 is in use: a node with that id reports from elsewhere/,
      );
      expect(cluster.role('sink-runner-1').isRunning).toBe(true);
    }, 300_000);
  });
});
