import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InMemoryCluster } from '../testing/in-memory-cluster.js';
import { ClusterView } from '../view/cluster-view.js';
import { CommandDesk } from './command-desk.js';

const settings = { requestTimeoutMs: 20_000, maxStalenessMs: 30_000 };
const putSettings = { kind: 'settings.put', settings: {} } as const;

let cluster: InMemoryCluster;
let desk: CommandDesk;

beforeEach(() => {
  jest.useFakeTimers();
  cluster = new InMemoryCluster();
  desk = new CommandDesk(new ClusterView(cluster, settings), cluster, settings, { info: () => undefined, warn: () => undefined });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a command leaves no timer behind', () => {
  it('that is carried out', async () => {
    await desk.carryOut(putSettings, desk.deadline());
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ['whose leader falls silent before it answers', 10_001],
    ['that nobody answers in time', 0],
  ])('%s', async (_, leaderSilence) => {
    cluster.answer = () => new Promise(() => undefined);
    const refused = expect(desk.carryOut(putSettings, desk.deadline())).rejects.toThrow('may still');
    cluster.leaderSilence = leaderSilence;
    await jest.advanceTimersByTimeAsync(leaderSilence === 0 ? settings.requestTimeoutMs : 1_000);
    await refused;
    expect(jest.getTimerCount()).toBe(0);
  });
});
