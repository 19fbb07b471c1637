import type { BrokerNode, BrokerPorts, PlannedNode, NameServerNode, NameServerPorts } from './cluster-plan.js';
import { checkPortNumbers, type ClusterPorts, freeBlock, portUses, preferredOrFreePort } from './ports.js';
import type { BrokerIdentity, NameServerIdentity, NodeIdentity } from './topology.js';

export const DEFAULT_PORTS = { namesrv: 9876, broker: 10911, grpc: 8081 } as const;

export interface ChoosePorts {
  /** For the first name server and the first broker. */
  readonly asked: Partial<ClusterPorts>;
  /** The nodes of the last start in that data folder: each keeps its ports unless others are asked for. */
  readonly previous: readonly PlannedNode[];
}

/**
 * Assigns every node its ports: those asked for, else those of before. Else the first name server and broker get 9876, 10911 and 8081, and
 * the others any free ones. Throws EmbeddedRocketmqError `OPTION_INVALID` for ports out of range or two uses of one, `PORT_TAKEN` when none
 * is free.
 */
export async function choosePorts(identities: readonly NodeIdentity[], { asked, previous }: ChoosePorts): Promise<PlannedNode[]> {
  const fixed = identities.map((identity) => fixedPorts(identity, asked, previous));
  const taken = new Set(fixed.flatMap(portsAlreadyChosen));
  const nodes: PlannedNode[] = [];
  for (const node of fixed) {
    const whole = node.kind === 'namesrv' ? await fillNameServer(node, taken) : await fillBroker(node, taken);
    for (const { port } of portUses([whole])) taken.add(port);
    nodes.push(whole);
  }
  checkPortNumbers(nodes);
  return nodes;
}

type NameServerDraft = NameServerIdentity & { readonly ports: Partial<NameServerPorts> };
type BrokerDraft = BrokerIdentity & { readonly ports: Partial<BrokerPorts> };
type Draft = NameServerDraft | BrokerDraft;

/** Returns what is known without asking the system. */
export function fixedPorts(identity: NodeIdentity, asked: Partial<ClusterPorts>, previous: readonly PlannedNode[]): Draft {
  const before = previous.find(({ id }) => id === identity.id);
  switch (identity.kind) {
    case 'namesrv': {
      const known: Partial<NameServerPorts> = before?.kind === 'namesrv' ? before.ports : {};
      const first = identity.id === 'namesrv' ? { listen: DEFAULT_PORTS.namesrv, ...known } : known;
      const listen = identity.id === 'namesrv' ? asked.namesrv : undefined;
      return { ...identity, ports: { ...first, ...(listen === undefined ? {} : { listen }) } };
    }
    case 'broker': {
      const known: Partial<BrokerPorts> = before?.kind === 'broker' ? before.ports : {};
      if (identity.id !== 'broker') return { ...identity, ports: known };
      const { broker: listen, grpc = known.grpc ?? DEFAULT_PORTS.grpc } = asked;
      const proxyRemoting = asked.proxyRemoting ?? known.proxyRemoting;
      const ports = { listen: listen ?? known.listen ?? DEFAULT_PORTS.broker };
      if (!identity.hasProxy) return { ...identity, ports };
      return { ...identity, ports: { ...ports, grpc, ...(proxyRemoting === undefined ? {} : { proxyRemoting }) } };
    }
  }
}

function portsAlreadyChosen(draft: Draft): number[] {
  const { listen } = draft.ports;
  const others = listen === undefined || draft.kind === 'namesrv' ? [] : [listen - 2, listen + 1];
  return [...Object.values(draft.ports), ...others];
}

async function fillNameServer(draft: NameServerDraft, taken: ReadonlySet<number>): Promise<NameServerNode> {
  const listen = draft.ports.listen ?? (await freeBlock([0], taken));
  if (!draft.hasController) return { ...draft, ports: { listen } };
  const controller = draft.ports.controller ?? (await freeBlock([0], new Set([...taken, listen])));
  return { ...draft, ports: { listen, controller } };
}

async function fillBroker(draft: BrokerDraft, taken: ReadonlySet<number>): Promise<BrokerNode> {
  const listen = draft.ports.listen ?? (await freeBlock([0, 2, 3], taken)) + 2;
  const { grpc } = draft.ports;
  if (grpc === undefined) return { ...draft, ports: { listen } };
  const proxyRemoting = draft.ports.proxyRemoting ?? (await preferredOrFreePort(grpc - 1, taken));
  return { ...draft, ports: { listen, grpc, proxyRemoting } };
}
