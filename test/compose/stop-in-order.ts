import type { Figure } from '../chaos/figure.js';
import type { ComposeStack } from './compose-stack.js';

/** stop_grace_period of the roles in compose.yaml: SIGKILL comes then. */
const graceMs = 20_000;

/** Stops the stack as `docker compose down` does, and looks at the ends before containers are removed. */
export async function stopInOrder(stack: ComposeStack): Promise<readonly Figure[]> {
  const begunMs = Date.now();
  await stack.stop();
  const ended = await stack.roleContainers();
  const unsound = ended.filter(
    ({ isRunning, exitCode, isOutOfMemory }) => isRunning || exitCode !== 0 || isOutOfMemory,
  );
  const longestMs = Math.max(...ended.map(({ finishedMs }) => finishedMs - begunMs));
  return [
    { name: 'containers of Sluice', unit: 'count', value: ended.length, details: [] },
    {
      name: 'containers of Sluice that end with another code than 0',
      unit: 'count',
      value: unsound.length,
      limit: 0,
      details: unsound.map(({ name, exitCode }) => `${name}: ${String(exitCode)}`),
    },
    // Whoever needs longer is killed: its code tells. What Docker needs for itself counts here too.
    { name: 'longest stop of a container of Sluice', unit: 'ms', value: longestMs, limit: graceMs, details: [] },
  ];
}
