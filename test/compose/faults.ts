import { setTimeout as delay } from 'node:timers/promises';
import type { ComposeStack } from './compose-stack.js';
import { ROLES, type Container } from './container.js';
import { docker } from './docker.js';
import type { LineLoad } from './line-load.js';
import type { Observer } from './observer.js';

/** Longer than the time after which the coordinator takes a silent node for dead (6 s), and gives its tasks to others. */
const BEYOND_SESSION_MS = 9000;

export interface FaultOptions {
  readonly stack: ComposeStack;
  readonly observer: Observer;
  readonly load: LineLoad;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Fault {
  readonly name: string;
  /** From its begin to its end. */
  readonly lastsMs: number;
  readonly begin: (container: Container) => Promise<unknown>;
  readonly end: (container: Container) => Promise<unknown>;
}

/**
 * Under load: every role's container is killed, suspended and cut off from its network, one after the other; then the broker restarts. Where others
 * can do its work, lines flow meanwhile; each time the container gets ready again and lines flow.
 */
export async function applyFaults(options: FaultOptions): Promise<void> {
  const { stack, load, tell } = options;
  const faults = faultsOf(stack);
  for (const fault of faults) {
    for (const role of ROLES) await applyFault(fault, await stack.first(role), options);
    await stack.untilHealthy();
  }
  tell('restart broker');
  await stack.restart('broker');
  tell('broker is healthy again');
  await load.untilFlowing('after a restart of the broker');
  await stack.untilHealthy();
}

async function applyFault(fault: Fault, container: Container, options: FaultOptions): Promise<void> {
  const { observer, load, tell, signal } = options;
  const what = `${fault.name} ${container.service}`;
  tell(what);
  await fault.begin(container);
  try {
    // There is one sink runner: while it is down, lines wait in their topic.
    const canFlow = fault.lastsMs > 0 && container.service !== 'sink-runner';
    const flowing = canFlow ? load.untilFlowing(`during ${what}`) : Promise.resolve();
    await Promise.all([flowing, delay(fault.lastsMs, undefined, { signal })]);
  } finally {
    await fault.end(container);
  }
  await observer.untilReady(container.name);
  await load.untilFlowing(`after ${what}`);
}

function faultsOf({ project }: ComposeStack): readonly Fault[] {
  const network = `${project}_default`;
  return [
    {
      name: 'kill',
      lastsMs: 0,
      begin: ({ id }) => docker(['kill', '--signal', 'KILL', id]),
      end: ({ id }) => docker(['start', id]),
    },
    {
      name: 'pause',
      lastsMs: BEYOND_SESSION_MS,
      begin: ({ id }) => docker(['pause', id]),
      end: ({ id }) => docker(['unpause', id]),
    },
    {
      name: 'disconnect',
      lastsMs: BEYOND_SESSION_MS,
      begin: ({ id }) => docker(['network', 'disconnect', network, id]),
      // Under the names that compose gave it.
      end: ({ id, name, service }) => docker(['network', 'connect', '--alias', service, '--alias', name, network, id]),
    },
  ];
}
