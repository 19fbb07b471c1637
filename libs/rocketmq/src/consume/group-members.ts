import { setMaxListeners } from 'node:events';
import { isRocketMqError, RequestTimeoutError } from '../errors.js';
import { CallDeadline } from '../connection/call-deadline.js';
import type { Connection } from '../connection/connection.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { queueTable } from '../routing/queue-table.js';
import type { TolerantValue } from '../wire/tolerant-json.js';
import { asNumber, readBodyMap, readList } from '../wire/tolerant-reader.js';
import type { QueueRef } from '../routing/topic-route.js';

/** How long a client stays a member of a group after it was last said to be one. */
const MEMBER_FOR_MS = 60_000;
/** Brokers forget a client after 120 s, and close its connection with it. */
const MAX_HEARTBEAT_INTERVAL_MS = 30_000;
const MAX_ANNOUNCE_MS = 3_000;
/** How long a pull waits for that, unless the broker has refused one: much shorter than a lease that the pull may have to extend. */
const PATIENCE_MS = 300;
/** More are not announced; they work as before, unseen. */
const MAX_GROUPS = 1_000;

/** Brokers have no code of its own for it. */
const NO_MEMBERS_REMARK = /^no consumer for this group/;

type MemberConnection = Pick<Connection, 'address' | 'ended' | 'invoke'>;

/** What this client has announced to a broker over a connection. */
interface Announced {
  /** Groups in the announcements, whether the broker took them or not. */
  readonly groups: Set<string>;
  /** Groups that it takes this client into only as one that subscribes. */
  readonly subscribed: Set<string>;
  version: number;
  running: Promise<void> | undefined;
}

interface GroupMembersOptions {
  readonly clientId: string;
  readonly heartbeatIntervalMs: number;
}

/**
 * Makes a client a visible member of the groups in whose name it reads. Brokers list it and count it as online, and those
 * that reject pulls of outsiders serve it. A member subscribes to nothing, unless a broker passes over members that do not:
 * with `rejectPullConsumerEnable` it silently leaves them out of its list.
 *
 * Brokers know members by connection, so each connection that carries pulls announces the groups before the first one and
 * then every 30 s.
 */
export class GroupMembers {
  /** By group: until when. */
  readonly #groups = new Map<string, number>();
  /** Topics that are read, by group. */
  readonly #topics = new Map<string, Set<string>>();
  readonly #connections = new Map<MemberConnection, Announced>();
  readonly #closing = new AbortController();
  #version = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #intervalMs: number;

  constructor(private readonly options: GroupMembersOptions) {
    this.#intervalMs = Math.min(options.heartbeatIntervalMs, MAX_HEARTBEAT_INTERVAL_MS);
    setMaxListeners(0, this.#closing.signal);
  }

  close(): void {
    this.#closing.abort();
    clearInterval(this.#timer);
  }

  /** Makes the client a member for the next minute, which may read a topic. */
  attend(group: string, topic?: string): void {
    if (this.#closing.signal.aborted) return;
    const isNew = !this.#groups.has(group);
    if (isNew && this.#groups.size >= MAX_GROUPS) return;
    this.#groups.set(group, performance.now() + MEMBER_FOR_MS);
    if (topic !== undefined) this.#topicsOf(group).add(topic);
    if (!isNew) return;
    this.#version += 1;
    this.#timer ??= setInterval(() => {
      this.#beat();
    }, this.#intervalMs).unref();
    for (const connection of this.#connections.keys()) void this.#announce(connection);
  }

  /**
   * Makes the client a member as brokers with `rejectPullConsumerEnable` want it: one that consumes what it subscribes to. They
   * keep the subscriptions of the member that spoke last, so it is said again after each refusal.
   */
  subscribe(group: string, topic: string): void {
    this.#version += 1;
    for (const announced of this.#connections.values()) {
      announced.groups.delete(group);
      announced.subscribed.add(group);
    }
    this.attend(group, topic);
  }

  /**
   * Announces the groups to a broker before the first pull in the name of one. Undefined when that is done already. A broker
   * that refuses the announcement, or takes it slowly, still answers pulls, or says why not.
   *
   * @throws RequestAbortedError
   */
  beforePull(connection: MemberConnection, group: string, deadline: CallDeadline): Promise<void> | undefined {
    if (!this.#groups.has(group) || this.#connections.get(connection)?.groups.has(group) === true) return undefined;
    const what = `heartbeat to ${connection.address}`;
    // A broker that refused a pull before it heard of the subscription refuses the next one too.
    const isRefused = this.#connections.get(connection)?.subscribed.has(group) === true;
    return (isRefused ? deadline : deadline.within(PATIENCE_MS))
      .race(this.#announce(connection), what, () => 'not-sent')
      .catch((error: unknown) => {
        if (!(error instanceof RequestTimeoutError)) throw error;
        // It is under way: the pulls that follow need not wait for it again.
        this.#connections.get(connection)?.groups.add(group);
      });
  }

  /**
   * Takes what a broker sends to the members of a group. Brokers before 5.2 let the members carry a reset of offsets out: they
   * commit the new ones.
   */
  onNotice(connection: MemberConnection, notice: RemotingCommand): void {
    const { group } = notice.ext;
    if (notice.code !== REQUEST_CODE.RESET_CONSUMER_CLIENT_OFFSET || group === undefined) return;
    if (!this.#groups.has(group)) return;
    for (const { queue, offset } of resetOffsetsOf(notice)) {
      const ext = {
        consumerGroup: group,
        topic: queue.topic,
        queueId: String(queue.queueId),
        commitOffset: String(offset),
        bname: queue.brokerName,
      };
      void this.#tell(connection, { code: REQUEST_CODE.UPDATE_CONSUMER_OFFSET, ext });
    }
  }

  #beat(): void {
    const now = performance.now();
    for (const [group, until] of this.#groups) if (until < now) this.#forget(group);
    this.#version += 1;
    for (const connection of this.#connections.keys()) void this.#announce(connection);
    if (this.#groups.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #forget(group: string): void {
    this.#groups.delete(group);
    this.#topics.delete(group);
  }

  #topicsOf(group: string): Set<string> {
    const topics = this.#topics.get(group) ?? new Set();
    this.#topics.set(group, topics);
    return topics;
  }

  #announce(connection: MemberConnection): Promise<void> {
    let announced = this.#connections.get(connection);
    if (announced === undefined) {
      announced = { groups: new Set(), subscribed: new Set(), version: -1, running: undefined };
      this.#connections.set(connection, announced);
      void connection.ended.then(() => this.#connections.delete(connection));
    }
    const { running } = announced;
    const next = running === undefined ? this.#sync(connection, announced) : running.then(() => this.#sync(connection, announced));
    announced.running = next;
    return next;
  }

  /** Announces the groups together, for pulls wait for that, then leaves those that are over. */
  async #sync(connection: MemberConnection, announced: Announced): Promise<void> {
    const version = this.#version;
    if (announced.version === version) return;
    const groups = [...this.#groups.keys()];
    if (groups.length > 0) {
      await this.#heartbeat(connection, announced, groups);
      const fresh = groups.filter((group) => !announced.groups.has(group) && !announced.subscribed.has(group));
      const arePassedOver = await Promise.all(fresh.map((group) => this.#isPassedOver(connection, group)));
      const passedOver = fresh.filter((_, index) => arePassedOver[index]);
      for (const group of passedOver) announced.subscribed.add(group);
      if (passedOver.length > 0) await this.#heartbeat(connection, announced, groups);
    }
    for (const group of groups) announced.groups.add(group);
    for (const group of announced.groups) {
      if (this.#groups.has(group)) continue;
      const ext = { clientID: this.options.clientId, consumerGroup: group };
      if (!(await this.#tell(connection, { code: REQUEST_CODE.UNREGISTER_CLIENT, ext }))) continue;
      announced.groups.delete(group);
      announced.subscribed.delete(group);
    }
    announced.version = version;
  }

  async #heartbeat(connection: MemberConnection, announced: Announced, groups: readonly string[]): Promise<void> {
    const consumerDataSet = groups.map((group) =>
      announced.subscribed.has(group) ? subscriberOf(group, this.#topicsOf(group)) : pullConsumerOf(group),
    );
    const content = { clientID: this.options.clientId, heartbeatFingerprint: 0, producerDataSet: [], consumerDataSet };
    const body = Buffer.from(JSON.stringify(content));
    await this.#tell(connection, { code: REQUEST_CODE.HEART_BEAT, ext: {}, body });
  }

  /** Returns whether a broker that took the heartbeat does not list the client among the group's members. */
  async #isPassedOver(connection: MemberConnection, group: string): Promise<boolean> {
    const request = { code: REQUEST_CODE.GET_CONSUMER_LIST_BY_GROUP, ext: { consumerGroup: group } };
    const reply = await this.#ask(connection, request);
    if (reply?.code === RESPONSE_CODE.SYSTEM_ERROR) return NO_MEMBERS_REMARK.test(reply.remark);
    return reply?.code === RESPONSE_CODE.SUCCESS && memberIdsOf(reply)?.includes(this.options.clientId) === false;
  }

  /** Whether the broker did it. What it refuses or leaves unanswered is said again with the next heartbeat. */
  async #tell(connection: MemberConnection, request: RemotingRequest): Promise<boolean> {
    return (await this.#ask(connection, request))?.code === RESPONSE_CODE.SUCCESS;
  }

  async #ask(connection: MemberConnection, request: RemotingRequest): Promise<RemotingCommand | undefined> {
    try {
      return await connection.invoke(request, new CallDeadline(MAX_ANNOUNCE_MS, this.#closing.signal));
    } catch (error) {
      if (!isRocketMqError(error)) throw error;
      return undefined;
    }
  }
}

const MEMBER = {
  messageModel: 'CLUSTERING',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  unitMode: false,
};

function pullConsumerOf(groupName: string): object {
  return { ...MEMBER, groupName, consumeType: 'CONSUME_ACTIVELY', subscriptionDataSet: [] };
}

/** Brokers take a member that has its messages brought to it for one that subscribes. */
function subscriberOf(groupName: string, topics: ReadonlySet<string>): object {
  const subscriptionDataSet = [...topics].map(subscriptionTo);
  return { ...MEMBER, groupName, consumeType: 'CONSUME_PASSIVELY', subscriptionDataSet };
}

function subscriptionTo(topic: string): object {
  const everything = { subString: '*', expressionType: 'TAG', tagsSet: [], codeSet: [], classFilterMode: false };
  return { topic, ...everything, subVersion: 1 };
}

/** Undefined when the broker's list cannot be read. */
function memberIdsOf({ body }: RemotingCommand): readonly TolerantValue[] | undefined {
  try {
    return readList(readBodyMap(body, 'members of a group'), 'consumerIdList');
  } catch (error) {
    if (isRocketMqError(error)) return undefined;
    throw error;
  }
}

/** Empty when the broker's table cannot be read. */
function resetOffsetsOf({ body }: RemotingCommand): readonly { readonly queue: QueueRef; readonly offset: number }[] {
  try {
    const table = readBodyMap(body, 'reset offsets');
    return queueTable(table, (queue, value) => ({ queue, offset: asNumber(value, 'offset') }));
  } catch (error) {
    if (isRocketMqError(error)) return [];
    throw error;
  }
}
