import { withLimit } from '@sluice/time';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
const REQUEST_TIMEOUT_MS = 3000;
/** Classes that the roles of a local cluster bring: with them a connector can be posted. */
const EXPECTED_PLUGINS = ['FileStreamSource', 'FileStreamSink'];

/**
 * Resolves when the gateway is ready and runners for both kinds of connectors are known to it.
 *
 * @param beforeEachLook repairs what the roles need.
 */
export async function untilConnectorsCanBePosted(url: string, signal: AbortSignal, beforeEachLook: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await beforeEachLook();
    if (await canPost(url, signal)) return;
    await delay(POLL_MS, undefined, { signal });
  }
}

async function canPost(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await withLimit(signal, REQUEST_TIMEOUT_MS, async (limited) => {
      const ready = await fetch(`${url}/health/ready`, { signal: limited });
      if (!ready.ok) return false;
      const plugins = (await (await fetch(`${url}/connector-plugins`, { signal: limited })).json()) as readonly {
        readonly class: string;
      }[];
      return EXPECTED_PLUGINS.every((name) => plugins.some((plugin) => plugin.class === name));
    });
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
