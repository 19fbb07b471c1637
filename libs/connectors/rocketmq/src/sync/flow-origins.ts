import { isRocketMqError, type RocketMqClient } from '@sluice/rocketmq';
import { type FoundMemory, MEMORY_PREFIX, type Origins, readMemory, SYNC_PARTS, type SyncPart } from './sync-memory.js';

/** A flow that has written nothing for longer is treated as ended. Flows write every minute. */
const ACTIVE_MS = 10 * 60_000;
/** More flows into one cluster than this are not looked at one by one. */
const MAX_FLOWS = 64;
const MAX_ORIGINS = 256;

/** Which clusters' settings reach the source of a flow: where the target is among them, flows lead in a circle. */
export class FlowOrigins {
  readonly #source: RocketMqClient;
  /** What flows into the source have written last, by topic; also of those that cannot be read now. */
  readonly #flows = new Map<string, FoundMemory>();
  constructor(source: RocketMqClient) {
    this.#source = source;
  }

  /** Returns the origins of a cluster's settings, as flows into it have written them there; undefined where that cannot be read. */
  async read(signal: AbortSignal): Promise<Origins | undefined> {
    try {
      const flows = (await this.#source.admin.listTopics({ signal })).filter((name) => name.startsWith(MEMORY_PREFIX));
      if (flows.length > MAX_FLOWS) return undefined;
      const found = await Promise.all(flows.map((topic) => readMemory(this.#source, topic, signal)));
      flows.forEach((topic, at) => {
        const memory = found[at];
        if (memory !== undefined) this.#flows.set(topic, memory);
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!isRocketMqError(error)) throw error;
      return undefined;
    }
    const origins = { topics: new Set<string>(), groups: new Set<string>(), acl: new Set<string>() };
    for (const [topic, { memory, storedAt }] of this.#flows) {
      if (Date.now() - storedAt > ACTIVE_MS) this.#flows.delete(topic);
      else for (const part of SYNC_PARTS) for (const origin of memory.origins[part].slice(0, MAX_ORIGINS)) origins[part].add(origin);
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

function sorted(names: ReadonlySet<string>): string[] {
  return [...names].sort();
}
