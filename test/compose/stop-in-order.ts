import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../chaos/figure.js';
import type { ComposeStack } from './compose-stack.js';

/** stop_grace_period of the roles in compose.yaml: SIGKILL comes then. */
const GRACE_MS = 20_000;
const ASK_INTERVAL_MS = 20;

/** Stops the stack as `docker compose down` does, under the requests of a client, and looks at the ends before containers are removed. */
export async function stopInOrder(stack: ComposeStack): Promise<readonly Figure[]> {
  const begunMs = Date.now();
  const stopped = new AbortController();
  const asking = keepAsking(stack, stopped.signal);
  await stack.stop().finally(() => {
    stopped.abort();
  });
  await asking;
  const ended = await stack.roleContainers();
  const unsound = ended.filter(({ isRunning, exitCode, isOutOfMemory }) => isRunning || exitCode !== 0 || isOutOfMemory);
  const longestMs = Math.max(...ended.map(({ finishedMs }) => finishedMs - begunMs));
  return [
    { name: 'containers of Sluice', unit: 'count', value: ended.length, details: [] },
    {
      name: 'containers of Sluice that end with another code than 0',
      unit: 'count',
      value: unsound.length,
      limit: 0,
      details: unsound.map(({ name, exitCode }) => `${name}: ${exitCode}`),
    },
    // Whoever needs longer is killed, which its exit code shows. The time includes what Docker needs itself.
    { name: 'longest stop of a container of Sluice', unit: 'ms', value: longestMs, limit: GRACE_MS, details: [] },
  ];
}

/**
 * A client that asks again as soon as it has an answer, on one connection: it must not keep the gateway up. An answer of
 * readiness takes some time, so a request is likely to be under way when the server closes.
 */
async function keepAsking(stack: ComposeStack, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // Nobody answers from some point on: that is the aim.
    await stack.request('GET', '/health/ready').catch(() => undefined);
    await delay(ASK_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}
