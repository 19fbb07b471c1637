import { isRocketMqError, type RocketMqClient } from '@sluice/rocketmq';
import type { ClusterView } from './cluster-view.js';
import { MEMORY_PREFIX, type Origins, readMemory, SYNC_PARTS, type SyncPart } from './sync-memory.js';

/** A flow that has written nothing for longer is treated as ended. Flows write every minute. */
const ACTIVE_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 20_000;
/** More flows into one cluster than this are not looked at one by one. */
const MAX_FLOWS = 64;
const MAX_ORIGINS = 256;

/** Which clusters' settings reach the source of a flow: where the target is among them, flows lead in a circle. */
export class FlowOrigins {
  readonly #source: RocketMqClient;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #known: Origins | undefined;

  constructor(source: RocketMqClient) {
    this.#source = source;
  }

  /**
   * Returns the origins of a cluster's settings, as flows into it have written them there; looks again after some seconds. Undefined where
   * that cannot be read.
   */
  async read(view: ClusterView, signal: AbortSignal): Promise<Origins | undefined> {
    if (performance.now() - this.#lookedAt < LOOK_AGAIN_MS) return this.#known;
    this.#known = await this.#read(view, signal);
    this.#lookedAt = this.#known === undefined ? Number.NEGATIVE_INFINITY : performance.now();
    return this.#known;
  }

  async #read(view: ClusterView, signal: AbortSignal): Promise<Origins | undefined> {
    const origins = { topics: new Set<string>(), groups: new Set<string>(), acl: new Set<string>() };
    try {
      const names = view.topics.size > 0 ? namesIn(view) : await this.#source.admin.listTopics({ signal });
      const flows = names.filter((name) => name.startsWith(MEMORY_PREFIX));
      if (flows.length > MAX_FLOWS) return undefined;
      for (const topic of flows) {
        const found = await readMemory(this.#source, topic, signal);
        if (found === undefined || Date.now() - found.storedAt > ACTIVE_MS) continue;
        for (const part of SYNC_PARTS) for (const origin of found.memory.origins[part].slice(0, MAX_ORIGINS)) origins[part].add(origin);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isRocketMqError(error)) throw error;
      return undefined;
    }
    return { topics: sorted(origins.topics), groups: sorted(origins.groups), acl: sorted(origins.acl) };
  }
}

/** Returns the origins that a flow brings to its target: its source, and what reaches that. */
export function originsAt(sourceIdentity: string, parts: ReadonlySet<SyncPart>, known: Origins | undefined): Origins {
  const of = (part: SyncPart): readonly string[] =>
    parts.has(part) ? sorted(new Set([sourceIdentity, ...(known?.[part] ?? [])])).slice(0, MAX_ORIGINS) : [];
  return { topics: of('topics'), groups: of('groups'), acl: of('acl') };
}

function namesIn({ topics }: ClusterView): string[] {
  return [...new Set([...topics.values()].flatMap((broker) => [...broker.topics.keys()]))];
}

function sorted(names: ReadonlySet<string>): string[] {
  return [...names].sort();
}
