import { beforeEach, describe, expect, it } from '@jest/globals';
import { FlowControlError, TopicNotFoundError } from '../errors.js';
import type { ConnectionPool } from '../connection/connection-pool.js';
import type { NameServers } from './name-servers.js';
import type { RouteCache } from './route-cache.js';
import type { RemotingCommand } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { ClusterAccess } from './cluster-access.js';

const QUEUE = { topic: 't', brokerName: 'b', queueId: 0 };
const SEND = { code: REQUEST_CODE.SEND_MESSAGE_V2, ext: {} };

function replyOf(code: number, remark: string): RemotingCommand {
  return { code, opaque: 1, flag: 1, remark, ext: {}, body: Buffer.alloc(0) };
}

describe('what a refusal says about the route', () => {
  let changes: string[];
  let cluster: ClusterAccess;

  beforeEach(() => {
    changes = [];
    const routes: Pick<RouteCache, 'doubt' | 'invalidate'> = {
      doubt: (topic) => changes.push(`doubt ${topic}`),
      invalidate: (topic) => changes.push(`invalidate ${topic}`),
    };
    cluster = new ClusterAccess({} as ConnectionPool, {} as NameServers, routes as RouteCache, 1_000);
  });

  it.each([
    ['a replica refuses what only masters do', 2, '[REJECTREQUEST]system busy, start flow control', ['doubt t']],
    ['a busy master refuses', 2, '[PCBUSY_CLEAN_QUEUE]broker busy', []],
    ['a store that is a slave or shuts down refuses', 14, 'service not available now', ['invalidate t']],
    ['a broker does not have the topic', 17, 'topic[t] not exist', ['invalidate t']],
    ['a topic has fewer queues', 29, 'request queueId[9] is illegal, TopicConfig', ['invalidate t']],
    ['a topic has fewer queues, before 5.2', 1, 'request queueId[9] is illegal, TopicConfig', ['invalidate t']],
    ['another broker leads the queue', 501, 't-3 does not exit in request process', ['invalidate t']],
    ['a broker takes no messages', 16, 'the broker[b] sending message is forbidden', ['invalidate t']],
    ['a broker refuses for another reason', 13, 'the message is illegal', []],
  ])('when %s', (_what, code, remark, expected) => {
    cluster.queueError(replyOf(code, remark), SEND, QUEUE);
    expect(changes).toEqual(expected);
  });

  it('types the errors', () => {
    expect(cluster.queueError(replyOf(2, '[REJECTREQUEST]'), SEND, QUEUE)).toBeInstanceOf(FlowControlError);
    expect(cluster.queueError(replyOf(14, ''), SEND, QUEUE)).toMatchObject({ retriable: true, responseCode: 14 });
    expect(cluster.queueError(replyOf(17, ''), SEND, QUEUE)).toBeInstanceOf(TopicNotFoundError);
  });

  it('finds a replica behind the address of the master', () => {
    const reply = replyOf(20, 'OFFSET_OVERFLOW_ONE');
    expect(cluster.notMasterError(reply, SEND, QUEUE)).toMatchObject({ retriable: true, code: 'BROKER_RESPONSE' });
    expect(changes).toEqual(['invalidate t']);
  });
});

describe('a request whose credentials a broker refuses', () => {
  const refusal = replyOf(16, 'check signature failed');
  const asked: number[] = [];

  function access(isRenewed: boolean): ClusterAccess {
    const pool: Pick<ConnectionPool, 'credentialsVersion' | 'renewCredentials'> = {
      credentialsVersion: 7,
      renewCredentials: (version) => {
        asked.push(version);
        return Promise.resolve(isRenewed);
      },
    };
    return new ClusterAccess(pool as ConnectionPool, {} as NameServers, {} as RouteCache, 1_000);
  }

  it('goes out once more with new ones, and not again', async () => {
    const replies = [refusal, refusal, replyOf(0, '')];
    const cluster = access(true);
    const ask = (): Promise<RemotingCommand> => Promise.resolve(replies.shift() ?? refusal);
    expect(await cluster.askSigned(ask, cluster.deadline({}))).toBe(refusal);
    expect(asked.splice(0)).toEqual([7]);
    expect((await cluster.askSigned(ask, cluster.deadline({}))).code).toBe(0);
    expect(asked.splice(0)).toEqual([]);
  });

  it('does not go out again without new ones', async () => {
    const cluster = access(false);
    const replies = [refusal, replyOf(0, '')];
    const ask = (): Promise<RemotingCommand> => Promise.resolve(replies.shift() ?? refusal);
    expect(await cluster.askSigned(ask, cluster.deadline({}))).toBe(refusal);
  });
});
