import { describe, expect, it } from '@jest/globals';
import { emptyState, type ClusterState, type Member } from '@sluice/core';
import type { ReportRhythm } from '../membership/reports-channel.js';
import type { ClusterNode } from './cluster-node.js';
import { nodeHeartbeat } from './node-heartbeat.js';

/** A cluster of 1000 nodes. */
function stateAt(level: number): ClusterState {
  const member: Member = { nodeId: 'n', incarnation: 'a', role: 'gateway', capacity: 1, plugins: [], joinedAt: 1 };
  const members = new Map(Array.from({ length: 1000 }, (_, at) => [`n${at}`, { ...member, nodeId: `n${at}` }]));
  return { ...emptyState(), level, members };
}

/** How a node of such a cluster sends its first report. */
async function rhythmIn(state: ClusterState): Promise<ReportRhythm> {
  const sent = new Promise<ReportRhythm>((resolve) => {
    const node = {
      self: { nodeId: 'n1', incarnation: 'a' },
      settings: { role: 'gateway', capacity: 1, labels: {} },
      store: {},
      follower: { state },
      logger: { scoped: () => undefined },
      reports: {
        send: (_report: unknown, rhythm: ReportRhythm) => {
          resolve(rhythm);
          return Promise.resolve();
        },
      },
    };
    const heartbeat = nodeHeartbeat(node as unknown as ClusterNode);
    heartbeat.start();
    void heartbeat.stop();
  });
  return await sent;
}

describe('the heartbeat of a node', () => {
  it('becomes slower in a large cluster, and reports only what is new, once all nodes understand that', async () => {
    expect(await rhythmIn(stateAt(1))).toEqual({ allowsDeltas: false, intervalMs: 1000 });
    expect(await rhythmIn(stateAt(3))).toEqual({ allowsDeltas: true, intervalMs: 1000 });
    expect(await rhythmIn(stateAt(4))).toEqual({ allowsDeltas: true, intervalMs: 2000 });
  });
});
