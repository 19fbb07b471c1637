import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { ClusterLayout } from './cluster-layout.js';
import type { ClusterPlan } from './cluster-plan.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import type { ProcessIdentity } from './process-identity.js';

/** What `cluster.json` in a data folder holds: enough to find, judge and stop the processes of a cluster. */
export interface RecordedCluster {
  readonly version: 2;
  readonly plan: ClusterPlan;
  /** By the id of the node. */
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
}

/** Undefined where no cluster was ever started in that folder. Throws EmbeddedRocketmqError `OPTION_INVALID` for a foreign file. */
export async function readClusterState(layout: ClusterLayout): Promise<RecordedCluster | undefined> {
  let text: string;
  try {
    text = await readFile(layout.stateFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const state = parse(text);
  if (state === undefined) {
    throw new EmbeddedRocketmqError(
      'OPTION_INVALID',
      `${layout.stateFile} was not written by this version: remove it or choose another data folder`,
    );
  }
  return state;
}

function parse(text: string): RecordedCluster | undefined {
  try {
    const value = JSON.parse(text) as Partial<RecordedCluster> | null;
    const isWhole =
      value?.version === 2 &&
      typeof value.plan?.name === 'string' &&
      Array.isArray(value.plan.nodes) &&
      typeof value.processes === 'object';
    return isWhole ? (value as RecordedCluster) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
export async function writeClusterState(layout: ClusterLayout, state: RecordedCluster): Promise<void> {
  const temporary = `${layout.stateFile}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(temporary, `${JSON.stringify(state, null, 2)}\n`);
    await rename(temporary, layout.stateFile);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
