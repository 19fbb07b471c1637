import { setTimeout as delay } from 'node:timers/promises';
import { defaultCoordinatorSettings } from '@sluice/core';
import type { Figure } from '../chaos/figure.js';
import { until } from '../support/sluice-cluster.js';
import { ComposeStack } from './compose-stack.js';
import { docker } from './docker.js';
import { copyFile } from './file-pipeline.js';
import { Observer } from './observer.js';
import { onStack } from './on-stack.js';

const ENVIRONMENT_FILE = 'docker/ha.env';
const PROBE = 'probe';
const POLL_MS = 100;
/** A successor claims the lead after the lease; what comes on top is allowed everywhere. */
const answerLimitMs = defaultCoordinatorSettings.leaseMs + 2000;

/** The `ha` profile: the leader and a name server are killed, a command is answered soon after, and a file is copied without them. */
export async function loseLeaderAndNameServer(signal: AbortSignal): Promise<readonly Figure[]> {
  const stack = await ComposeStack.create(signal, ENVIRONMENT_FILE);
  return onStack(stack, signal, async () => {
    await stack.up();
    const observer = await Observer.start(stack.project, signal);
    const config = { 'connector.class': 'FileStreamSource', file: '/data/none.txt', topic: PROBE };
    await stack.request('POST', '/connectors', { name: PROBE, config });
    const killed = [await leaderHost(stack), (await stack.first('namesrv')).id];
    const fromMs = performance.now();
    await docker(['kill', ...killed]);
    await untilAnswered(stack, signal);
    const value = performance.now() - fromMs;
    await copyFile(stack, observer, signal);
    const name = 'ha: a command is answered without the leader and a name server after';
    return [{ name, unit: 'ms', value, limit: answerLimitMs, details: [] }];
  });
}

/** Name of the leader's host, which is the start of its container's id. */
async function leaderHost(stack: ComposeStack): Promise<string> {
  const { nodes } = JSON.parse(await stack.request('GET', '/cluster')) as {
    readonly nodes: readonly { readonly leader: boolean; readonly http: string }[];
  };
  const [host] = nodes.find(({ leader }) => leader)?.http.split(':') ?? [];
  if (host === undefined) throw new Error(`none of the nodes leads: ${JSON.stringify(nodes)}`);
  return host;
}

/** Resolves when the leader carried a command out; until then the gateway may say that it does not answer. */
async function untilAnswered(stack: ComposeStack, signal: AbortSignal): Promise<void> {
  let last = '';
  await until(
    'a command is answered',
    async () => {
      try {
        await stack.request('PUT', `/connectors/${PROBE}/pause`);
        return true;
      } catch (error) {
        last = (error as Error).message;
        if (!last.includes(': 503 ')) throw error;
        await delay(POLL_MS, undefined, { signal });
        return false;
      }
    },
    undefined,
    () => last,
  );
}
