import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CallDeadline } from '../connection/call-deadline.js';
import { RequestTimeoutError } from '../errors.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE, requestName } from '../wire/request-code.js';
import { GroupMembers } from './group-members.js';

/** A broker's side of one connection. */
class FakeConnection {
  readonly address = 'b:1';
  readonly told: string[] = [];
  /** What it answers for the members of a group: code, remark, body. */
  list: (group: string) => readonly [number, string, string] = () => [0, '', '{"consumerIdList":["c"]}'];
  isSilent = false;
  beforeReply: () => Promise<void> = () => Promise.resolve();
  #end: (() => void) | undefined;
  readonly ended = new Promise<void>((resolve) => (this.#end = resolve));

  async invoke(request: RemotingRequest): Promise<RemotingCommand> {
    if (request.code === REQUEST_CODE.GET_CONSUMER_LIST_BY_GROUP) {
      const [code, remark, body] = this.list(request.ext['consumerGroup'] ?? '');
      return { code, opaque: 1, flag: 1, remark, ext: {}, body: Buffer.from(body) };
    }
    this.told.push(`${requestName(request.code)} ${namesOf(request).join(' ')}`);
    if (this.isSilent) throw new RequestTimeoutError('heartbeat', 3_000, 'unknown');
    await this.beforeReply();
    return { code: 0, opaque: 1, flag: 1, remark: '', ext: {}, body: Buffer.alloc(0) };
  }

  close(): void {
    this.#end?.();
  }
}

interface ConsumerData {
  readonly groupName: string;
  readonly consumeType: string;
  readonly subscriptionDataSet: readonly { readonly topic: string }[];
}

/** Groups, those that subscribe with their topics. */
function namesOf({ code, ext, body }: RemotingRequest): readonly string[] {
  if (code === REQUEST_CODE.UPDATE_CONSUMER_OFFSET) return Object.values(ext);
  if (body === undefined) return [ext['consumerGroup'] ?? ''];
  const { consumerDataSet } = JSON.parse(Buffer.from(body).toString()) as { consumerDataSet: ConsumerData[] };
  return consumerDataSet.map(({ groupName, consumeType, subscriptionDataSet }) =>
    consumeType === 'CONSUME_ACTIVELY' ? groupName : `${groupName}(${subscriptionDataSet.map(({ topic }) => topic).join()})`,
  );
}

describe('GroupMembers', () => {
  let members: GroupMembers;
  let connection: FakeConnection;
  const pull = (group: string, on = connection): Promise<void> | undefined =>
    members.beforePull(on, group, new CallDeadline(3_000, undefined));

  beforeEach(() => {
    jest.useFakeTimers();
    members = new GroupMembers({ clientId: 'c', heartbeatIntervalMs: 30_000 });
    connection = new FakeConnection();
  });

  afterEach(() => {
    members.close();
    jest.useRealTimers();
  });

  it('announces a group to a broker before the first pull on a connection only', async () => {
    expect(pull('g')).toBeUndefined();
    members.attend('g');
    await pull('g');
    expect(connection.told).toEqual(['HEART_BEAT g']);
    members.attend('g');
    expect(pull('g')).toBeUndefined();
    const second = new FakeConnection();
    await pull('g', second);
    expect(second.told).toEqual(['HEART_BEAT g']);
    expect(connection.told).toHaveLength(1);
  });

  it('announces a group in whose name nobody pulls to the brokers that it pulls from', async () => {
    members.attend('reader');
    await pull('reader');
    members.attend('sink');
    await jest.advanceTimersByTimeAsync(0);
    expect(connection.told).toEqual(['HEART_BEAT reader', 'HEART_BEAT reader sink']);
  });

  it.each<[string, readonly [number, string, string]]>([
    ['lists others only', [0, '', '{"consumerIdList":["x","y"]}']],
    ['has no member', [1, 'no consumer for this group, g', '']],
  ])('subscribes in a group of which a broker %s, and in no other', async (_what, answer) => {
    connection.list = (group) => (group === 'other' ? [0, '', '{"consumerIdList":["x","c"]}'] : answer);
    members.attend('sink');
    members.attend('other', 'topic-1');
    members.attend('g', 'topic-1');
    members.attend('g', 'topic-2');
    await pull('g');
    expect(connection.told).toEqual(['HEART_BEAT sink other g', 'HEART_BEAT sink() other g(topic-1,topic-2)']);
    members.attend('g', 'topic-3');
    await jest.advanceTimersByTimeAsync(30_000);
    expect(connection.told.at(-1)).toBe('HEART_BEAT sink() other g(topic-1,topic-2,topic-3)');
  });

  it.each<[string, readonly [number, string, string]]>([
    ['cannot be read', [0, '', 'no list']],
    ['is refused', [1, 'busy', '']],
  ])('stays one that does not where the list of members %s', async (_what, answer) => {
    connection.list = () => answer;
    members.attend('g', 'topic');
    await pull('g');
    expect(connection.told).toEqual(['HEART_BEAT g']);
  });

  it('subscribes once a broker has refused a pull, and starts as every member when it comes back', async () => {
    members.attend('g', 'topic-1');
    await pull('g');
    members.subscribe('g', 'topic-2');
    await pull('g');
    expect(connection.told).toEqual(['HEART_BEAT g', 'HEART_BEAT g(topic-1,topic-2)']);
    await jest.advanceTimersByTimeAsync(120_000);
    expect(connection.told.at(-1)).toBe('UNREGISTER_CLIENT g');
    members.attend('g', 'topic-1');
    await pull('g');
    expect(connection.told.at(-1)).toBe('HEART_BEAT g');
  });

  it('says it again while it is a member, then leaves and stops', async () => {
    members.attend('g');
    await pull('g');
    for (let turn = 0; turn < 5; turn += 1) {
      members.attend('g');
      await jest.advanceTimersByTimeAsync(30_000);
    }
    expect(connection.told).toEqual(Array.from({ length: 6 }, () => 'HEART_BEAT g'));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.told.at(-1)).toBe('UNREGISTER_CLIENT g');
    expect(jest.getTimerCount()).toBe(0);
    const told = connection.told.length;
    members.attend('g');
    await pull('g');
    expect(connection.told.slice(told)).toEqual(['HEART_BEAT g']);
  });

  it('lets pulls continue where a broker does not answer, and forgets a connection that ended', async () => {
    connection.isSilent = true;
    members.attend('g');
    await pull('g');
    expect(pull('g')).toBeUndefined();
    connection.close();
    await jest.advanceTimersByTimeAsync(0);
    const told = connection.told.length;
    await jest.advanceTimersByTimeAsync(30_000);
    expect(connection.told).toHaveLength(told);
  });

  it('lets a pull continue where the heartbeat takes long, and the pulls after it at once', async () => {
    let reply: (() => void) | undefined;
    const taken = new Promise<void>((resolve) => (reply = resolve));
    connection.beforeReply = () => taken;
    members.attend('g');
    let isThrough = false;
    const first = pull('g')?.then(() => (isThrough = true));
    await jest.advanceTimersByTimeAsync(299);
    expect(isThrough).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await first;
    expect(pull('g')).toBeUndefined();
    reply?.();
    await jest.advanceTimersByTimeAsync(0);
    expect(connection.told).toEqual(['HEART_BEAT g']);
  });

  it('has a pull wait for the subscription where the broker has refused one', async () => {
    members.attend('g', 'topic');
    await pull('g');
    let reply: (() => void) | undefined;
    const taken = new Promise<void>((resolve) => (reply = resolve));
    connection.beforeReply = () => taken;
    members.subscribe('g', 'topic');
    let isThrough = false;
    const second = pull('g')?.then(() => (isThrough = true));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(isThrough).toBe(false);
    reply?.();
    await second;
    expect(connection.told).toEqual(['HEART_BEAT g', 'HEART_BEAT g(topic)']);
  });

  it('says first of which groups it is a member, then of which no more', async () => {
    members.attend('old');
    await pull('old');
    await jest.advanceTimersByTimeAsync(30_000);
    members.attend('new');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.told.slice(-2)).toEqual(['HEART_BEAT new', 'UNREGISTER_CLIENT old']);
  });

  it('commits the offsets that a broker lets the members of a group reset', async () => {
    const notice = (group: string, body: string): RemotingCommand => ({
      code: REQUEST_CODE.RESET_CONSUMER_CLIENT_OFFSET,
      opaque: 1,
      flag: 2,
      remark: '',
      ext: { group, topic: 't' },
      body: Buffer.from(body),
    });
    const table = '{"offsetTable":{{"brokerName":"b","queueId":3,"topic":"t"}:17}}';
    members.attend('g');
    members.onNotice(connection, notice('other', table));
    members.onNotice(connection, notice('g', 'no table'));
    expect(connection.told).toEqual([]);
    members.onNotice(connection, notice('g', table));
    await jest.advanceTimersByTimeAsync(0);
    expect(connection.told).toEqual(['UPDATE_CONSUMER_OFFSET g t 3 17 b']);
  });
});
