import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../chaos/figure.js';
import { repositoryRoot } from '../support/sluice-cluster.js';
import type { ComposeStack } from './compose-stack.js';
import { ROLES, type Role } from './container.js';
import { docker } from './docker.js';
import type { Observer } from './observer.js';

const BYTES_PER_MB = 1_000_000;
const IMAGE_LIMIT_MB = 250;
const READY_LIMIT_MS = 2000;
const memoryLimitMb: Readonly<Record<Role, number>> = {
  gateway: 160,
  coordinator: 130,
  'source-runner': 130,
  'sink-runner': 130,
};
/** What a start leaves behind is collected by then. */
const SETTLE_MS = 10_000;
const PULL_TIMEOUT_MS = 300_000;

/** What each image adds to its base. */
export async function imageFigures(): Promise<readonly Figure[]> {
  const base = await baseImage();
  const baseBytes = await imageBytes(base);
  return Promise.all(
    [...ROLES, 'cli'].map(async (role) => ({
      name: `image of ${role}, MB on top of ${base}`,
      value: ((await imageBytes(`sluice-${role}`)) - baseBytes) / BYTES_PER_MB,
      unit: 'count' as const,
      limit: IMAGE_LIMIT_MB,
      details: [],
    })),
  );
}

/** The image that docker/Dockerfile starts from; pulled where only the builder has it. */
async function baseImage(): Promise<string> {
  const dockerfile = await readFile(join(repositoryRoot, 'docker/Dockerfile'), 'utf8');
  const [, image] = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile) ?? [];
  if (image === undefined) throw new Error('docker/Dockerfile names no NODE_IMAGE');
  await docker(['image', 'inspect', image]).catch(() => docker(['pull', '--quiet', image], { timeoutMs: PULL_TIMEOUT_MS }));
  return image;
}

const imageBytes = async (image: string): Promise<number> => Number(await docker(['image', 'inspect', '--format', '{{.Size}}', image]));

/** Restarts one container of each role, one after the other, and measures how long after its process started each is ready. */
export async function startFigures(stack: ComposeStack, observer: Observer): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const role of ROLES) {
    const { id, name } = await stack.first(role);
    await docker(['stop', id]);
    const [readyMs] = await Promise.all([observer.untilReady(name), docker(['start', id])]);
    const usedMs = await processorMs(id);
    const { startedMs } = await stack.first(role);
    const figure = { unit: 'ms', limit: READY_LIMIT_MS, details: [] } as const;
    figures.push({ name: `${role} is ready after`, value: readyMs - startedMs, ...figure });
    // Other processes on the machine hardly change this one.
    figures.push({ name: `... of which on processors`, unit: 'ms', value: usedMs, details: [] });
  }
  return figures;
}

/** What the process of a container has used of processors since its start: utime and stime of proc(5), in ticks of 10 ms. */
async function processorMs(id: string): Promise<number> {
  const fields = (await docker(['exec', id, 'cat', '/proc/1/stat'])).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The resident memory of the process of each role without tasks. */
export async function memoryFigures(stack: ComposeStack, signal: AbortSignal): Promise<readonly Figure[]> {
  await delay(SETTLE_MS, undefined, { signal });
  return Promise.all(
    ROLES.map(async (role) => {
      const { id } = await stack.first(role);
      const status = await docker(['exec', id, 'cat', '/proc/1/status']);
      const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
      if (kib === undefined) throw new Error(`no VmRSS of ${role}: ${status}`);
      const figure = { unit: 'count', limit: memoryLimitMb[role], details: [] } as const;
      return {
        name: `resident memory of ${role} without tasks, MB`,
        value: (Number(kib) * 1024) / BYTES_PER_MB,
        ...figure,
      };
    }),
  );
}
