import { type ByBroker, combined, type Difference, mapText, sortedByName } from './difference.js';
import type { SyncAction, TopicChange, TopicShape } from './sync-action.js';

const READ_WRITE = 6;
const WRITE = 2;
/** RocketMQ refuses to change these once a topic is there; a topic without one has its default. */
const IMMUTABLE_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['queue.type', 'SimpleCQ'],
  ['cleanup.policy', 'DELETE'],
]);

/** The topics of one broker. */
export interface TopicsOfBroker {
  readonly topics: ReadonlyMap<string, TopicShape>;
  /** False before RocketMQ 5.0. */
  readonly areAttributesKept: boolean;
}

export interface TopicsToCompare {
  /** Of brokers that answered. */
  readonly source: ByBroker<TopicsOfBroker>;
  /** Of brokers that answered. */
  readonly target: ByBroker<TopicsOfBroker>;
  /** All brokers of the source that are registered, so that one that does not answer moves no queues. */
  readonly sourceNames: readonly string[];
  readonly targetNames: readonly string[];
  /** Target names by source name. */
  readonly plan: ReadonlyMap<string, string>;
  /** Whether topics may be created and grown. */
  readonly isCreationAllowed: boolean;
  /** Topics of the target that this flow has made, with their names at the source. */
  readonly made: ReadonlyMap<string, string>;
}

/** Returns for each topic of the plan, and for each that the flow has made, what separates the target from the source. */
export function topicDifferences(compared: TopicsToCompare): Difference[] {
  const taken = new Set(compared.plan.values());
  const gone = [...compared.made].filter(([name]) => !taken.has(name));
  return [...[...compared.plan].map(([from, name]) => [from, name] as const), ...gone.map(([name, from]) => [from, name] as const)].map(
    ([from, name]) => topicDifference(compared, from, name),
  );
}

function topicDifference(compared: TopicsToCompare, from: string, name: string): Difference {
  const { source, target, isCreationAllowed } = compared;
  const sources = shapesOf(source, from);
  const targets = shapesOf(target, name);
  const base = {
    kind: 'topic',
    name,
    from,
    source: sources.size === 0 ? undefined : shapeText(wantedOf([...sources.values()])),
    target: combined([...targets.values()].map(shapeText)),
    sourceBrokers: [...sources.keys()],
  } as const;
  if (sources.size === 0) {
    const removal = { part: '', action: { kind: 'delete-topic', name, broker: undefined } } as const;
    return { ...base, additions: [], changes: [], removals: targets.size === 0 ? [] : [removal], notes: [] };
  }
  const additions: SyncAction[] = [];
  const changes: SyncAction[] = [];
  const notes: string[] = [];
  const queues = wantedQueues(compared, sources, targets);
  for (const [broker, { areAttributesKept }] of sortedByName(target)) {
    const wanted = { ...wantedOf(queues.get(broker)?.shapes ?? [...sources.values()]), ...queues.get(broker)?.counts };
    const current = targets.get(broker);
    const attributes = isKeptByAll(source, sources) ? wanted.attributes : undefined;
    if (attributes !== undefined && attributes.size > 0 && !areAttributesKept) {
      notes.push(`attributes ${[...attributes.keys()].join(', ')} on ${broker}: brokers before RocketMQ 5.0 have none`);
    }
    const kept = areAttributesKept ? attributes : undefined;
    if (current === undefined) {
      if (wanted.writeQueues === 0) continue;
      if (!isCreationAllowed) notes.push(`topic on ${broker}: topic.creation.enable is false`);
      else additions.push(creation(name, broker, { ...wanted, attributes: kept ?? new Map() }, targets.size === 0));
      continue;
    }
    const growth = growthOf(current, wanted);
    if (growth !== undefined && isCreationAllowed) additions.push({ kind: 'update-topic', name, broker, change: growth });
    else if (growth !== undefined) notes.push(`queues on ${broker}, ${JSON.stringify(growth)}: topic.creation.enable is false`);
    const change = settingsChange(current, wanted, kept, (note) => notes.push(`${note} on ${broker}`));
    if (change !== undefined) changes.push({ kind: 'update-topic', name, broker, change });
  }
  return { ...base, additions, changes, removals: [], notes };
}

/** Returns whether an action takes the right to write from a topic; what is not copied yet could not be written any more. */
export function withdrawsWrite(action: SyncAction): boolean {
  return action.kind === 'update-topic' && action.change.perm !== undefined && (action.change.perm & WRITE) === 0;
}

function creation(name: string, broker: string, settings: TopicShape, isNew: boolean): SyncAction {
  // A topic without the right to write could not be copied into.
  const writable = { ...settings, perm: settings.perm | WRITE };
  return { kind: 'create-topic', name, broker, settings: writable, ...(isNew ? { makes: [''] } : {}) };
}

function shapesOf(brokers: ByBroker<TopicsOfBroker>, topic: string): ReadonlyMap<string, TopicShape> {
  return new Map(
    sortedByName(brokers).flatMap(([broker, { topics }]) => {
      const shape = topics.get(topic);
      return shape === undefined ? [] : [[broker, shape]];
    }),
  );
}

/** One topic for several brokers: what any of them allows, and the attributes of the first. */
function wantedOf(shapes: readonly TopicShape[]): TopicShape {
  return {
    readQueues: shapes.reduce((sum, shape) => sum + shape.readQueues, 0),
    writeQueues: shapes.reduce((sum, shape) => sum + shape.writeQueues, 0),
    perm: shapes.reduce((bits, shape) => bits | (shape.perm & READ_WRITE), 0),
    isOrdered: shapes.some((shape) => shape.isOrdered),
    attributes: shapes[0]?.attributes ?? new Map(),
  };
}

interface WantedQueues {
  readonly shapes: readonly TopicShape[];
  readonly counts: { readonly readQueues: number; readonly writeQueues: number };
}

/** The i-th broker of the source goes to the i-th of the target, and begins again at the first. Enough queues stay as they are. */
function wantedQueues(
  { sourceNames, targetNames }: TopicsToCompare,
  sources: ReadonlyMap<string, TopicShape>,
  targets: ReadonlyMap<string, TopicShape>,
): ReadonlyMap<string, WantedQueues> {
  const from = [...new Set([...sourceNames, ...sources.keys()])].sort();
  const to = [...new Set(targetNames)].sort();
  const shares = new Map<string, TopicShape[]>();
  for (const [broker, shape] of sources) {
    const share = to[from.indexOf(broker) % to.length];
    if (share !== undefined) shares.set(share, [...(shares.get(share) ?? []), shape]);
  }
  const needed = wantedOf([...sources.values()]);
  const there = wantedOf([...targets.values()]);
  const isEnough = there.writeQueues >= needed.writeQueues && there.readQueues >= needed.readQueues;
  return new Map(
    to.map((broker) => {
      const shapes = shares.get(broker) ?? [];
      const { readQueues, writeQueues } = isEnough ? { readQueues: 0, writeQueues: 0 } : wantedOf(shapes);
      return [broker, { shapes: shapes.length === 0 ? [...sources.values()] : shapes, counts: { readQueues, writeQueues } }];
    }),
  );
}

function growthOf(current: TopicShape, wanted: TopicShape): TopicChange | undefined {
  const change = {
    ...(wanted.readQueues > current.readQueues ? { readQueues: wanted.readQueues } : {}),
    ...(wanted.writeQueues > current.writeQueues ? { writeQueues: wanted.writeQueues } : {}),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function settingsChange(
  current: TopicShape,
  wanted: TopicShape,
  attributes: ReadonlyMap<string, string> | undefined,
  note: (text: string) => void,
): TopicChange | undefined {
  const set: Record<string, string> = {};
  const removed: string[] = [];
  const names = attributes === undefined ? [] : [...new Set([...attributes.keys(), ...current.attributes.keys()])].sort();
  for (const name of names) {
    const byDefault = IMMUTABLE_DEFAULTS.get(name);
    const value = attributes?.get(name) ?? byDefault;
    const currentValue = current.attributes.get(name) ?? byDefault;
    if (value === currentValue) continue;
    if (byDefault !== undefined) note(`attribute ${name}=${value}, it is ${currentValue} and cannot be changed`);
    else if (value === undefined) removed.push(name);
    else set[name] = value;
  }
  const change: TopicChange = {
    ...(wanted.perm === (current.perm & READ_WRITE) ? {} : { perm: wanted.perm }),
    ...(wanted.isOrdered === current.isOrdered ? {} : { isOrdered: wanted.isOrdered }),
    ...(Object.keys(set).length === 0 ? {} : { attributes: set }),
    ...(removed.length === 0 ? {} : { removedAttributes: removed }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function isKeptByAll(source: ByBroker<TopicsOfBroker>, sources: ReadonlyMap<string, TopicShape>): boolean {
  return [...sources.keys()].every((broker) => source.get(broker)?.areAttributesKept === true);
}

/** Queues are left out: they only grow, so nobody has to decide about them. */
function shapeText({ perm, isOrdered, attributes }: TopicShape): string {
  return `${perm & READ_WRITE} ${isOrdered} ${mapText(attributes)}`;
}
