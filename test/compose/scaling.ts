import { setTimeout as delay } from 'node:timers/promises';
import { parsePrometheusText, valueOf } from '../support/prometheus-text.js';
import { until } from '../support/sluice-cluster.js';
import type { ComposeStack, ConnectorStatus } from './compose-stack.js';
import { LineLoad } from './line-load.js';

const SOURCE_RUNNERS = 4;
const POLL_MS = 500;
const TIMEOUT_MS = 120_000;

/** Source runners become four: each gets its share of the eight source tasks. */
export async function scaleOut(stack: ComposeStack, signal: AbortSignal): Promise<void> {
  await stack.up({ 'source-runner': SOURCE_RUNNERS });
  const share = LineLoad.sources.length / SOURCE_RUNNERS;
  await untilConnectors(stack, signal, `each source runner has ${share} tasks`, (connectors) => {
    const loads = new Map<string, number>();
    for (const source of LineLoad.sources) {
      for (const { state, worker_id: worker } of connectors.get(source)?.tasks ?? []) {
        if (state !== 'RUNNING') return false;
        loads.set(worker, (loads.get(worker) ?? 0) + 1);
      }
    }
    return loads.size === SOURCE_RUNNERS && [...loads.values()].every((count) => count === share);
  });
}

/** No runners at all: every task waits as UNASSIGNED, which a scaler sees; then they are back. */
export async function scaleToZeroAndBack(stack: ComposeStack, signal: AbortSignal): Promise<void> {
  await stack.up({ 'source-runner': 0, 'sink-runner': 0 });
  await untilConnectors(stack, signal, 'all tasks are UNASSIGNED', (connectors) =>
    [...connectors.values()].flatMap(({ tasks }) => tasks).every(({ state }) => state === 'UNASSIGNED'),
  );
  const sinks = [...(await stack.connectors()).values()].filter(({ type }) => type === 'sink').length;
  await untilUnassigned(stack, signal, { 'source-runner': LineLoad.sources.length, 'sink-runner': sinks });
  await stack.up({ 'source-runner': SOURCE_RUNNERS });
  await untilUnassigned(stack, signal, { 'source-runner': 0, 'sink-runner': 0 });
}

/** Waits until the gateway's metric shows so many unassigned tasks of each role. */
async function untilUnassigned(stack: ComposeStack, signal: AbortSignal, expected: Readonly<Record<string, number>>): Promise<void> {
  let last: unknown;
  await until(
    `sluice_tasks_unassigned is ${JSON.stringify(expected)}`,
    async () => {
      await delay(POLL_MS, undefined, { signal });
      const scrape = parsePrometheusText(await stack.request('GET', '/metrics'));
      const values = Object.keys(expected).map((role) => [role, valueOf(scrape, 'sluice_tasks_unassigned', { role })]);
      last = values;
      return values.every(([role, value]) => value === expected[String(role)]);
    },
    TIMEOUT_MS,
    () => JSON.stringify(last),
  );
}

async function untilConnectors(
  stack: ComposeStack,
  signal: AbortSignal,
  what: string,
  isSo: (connectors: ReadonlyMap<string, ConnectorStatus>) => boolean,
): Promise<void> {
  let last: ReadonlyMap<string, ConnectorStatus> = new Map();
  await until(
    what,
    async () => {
      await delay(POLL_MS, undefined, { signal });
      last = await stack.connectors();
      return isSo(last);
    },
    TIMEOUT_MS,
    () => JSON.stringify([...last]),
  );
}
