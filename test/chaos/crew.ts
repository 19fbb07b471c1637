import { type IsolatedCluster, SluiceCluster, until, type RoleHandle, type RoleName } from '../support/sluice-cluster.js';

/** How many processes of each role there are beside the one gateway. */
export interface CrewSize {
  readonly coordinators: number;
  readonly sourceRunners: number;
  readonly sinkRunners: number;
}

interface ClusterAnswer {
  readonly leader: { readonly id?: string; readonly state: string };
  readonly nodes: readonly { readonly id: string; readonly state: string }[];
}

/** What a busy machine needs for a start is no finding. */
const START_LIMIT_MS = 240_000;

/** Starts a cluster beside a RocketMQ of its own and waits until all of its nodes are members. */
export async function startCrew(size: CrewSize): Promise<IsolatedCluster> {
  const cluster = await SluiceCluster.startIsolated();
  try {
    for (const [role, count] of [
      ['coordinator', size.coordinators],
      ['source-runner', size.sourceRunners],
      ['sink-runner', size.sinkRunners],
    ] as const) {
      await Promise.all(moreOf(cluster, role, count).map(startAndWait));
    }
    await untilMembers(
      cluster,
      cluster.roles.map(({ id }) => id),
    );
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

function moreOf(cluster: SluiceCluster, role: RoleName, count: number): readonly RoleHandle[] {
  return Array.from({ length: count - 1 }, (_, index) => cluster.add(role, `${role}-${index + 2}`));
}

/** Resolves with true once the process says that it is up, with false if it ends before. */
export async function startAndWait(handle: RoleHandle): Promise<boolean> {
  const timesUp = (): number => handle.log.split(' is up: ').length;
  const before = timesUp();
  handle.start();
  const isUp = await until(
    `${handle.id} is up`,
    () => (timesUp() > before ? 'up' : !handle.isRunning && 'ended'),
    START_LIMIT_MS,
    () => handle.log.slice(-1500),
  );
  return isUp === 'up';
}

export async function untilMembers(cluster: SluiceCluster, ids: readonly string[]): Promise<void> {
  await until(
    `${ids.join(', ')} are members`,
    async () => {
      const live = (await clusterAnswer(cluster))?.nodes.filter(({ state }) => state === 'live').map(({ id }) => id);
      return ids.every((id) => live?.includes(id));
    },
    START_LIMIT_MS,
  );
}

/** A leader counts it as a member now, and does not suspect it. */
export async function isLive(cluster: SluiceCluster, nodeId: string): Promise<boolean> {
  const answer = await clusterAnswer(cluster);
  return answer?.leader.state === 'leading' && answer.nodes.some(({ id, state }) => id === nodeId && state === 'live');
}

/** The coordinator that leads, as far as the gateway can tell. */
export async function leaderOf(cluster: SluiceCluster): Promise<string | undefined> {
  const leader = (await clusterAnswer(cluster))?.leader;
  return leader?.state === 'leading' ? leader.id : undefined;
}

async function clusterAnswer(cluster: SluiceCluster): Promise<ClusterAnswer | undefined> {
  const answer = await cluster.request('GET', '/cluster').catch(() => undefined);
  return answer?.status === 200 ? (answer.body as ClusterAnswer) : undefined;
}
