import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, MalformedDataError } from '../errors.js';
import { parseNameServers } from './name-servers.js';
import { decodeClusterInfo, decodeTopicRoute, readableQueues, writableQueues } from './topic-route.js';

const ROUTE = `{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.2:10911","1":"10.0.0.3:10911"},"brokerName":"b","cluster":"c"},
 {"brokerAddrs":{1:"10.0.0.5:10911"},"brokerName":"a","cluster":"c"}],"filterServerTable":{},
 "queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":2,"topicSysFlag":0,"writeQueueNums":1},
 {"brokerName":"a","perm":4,"readQueueNums":1,"topicSysFlag":0,"writeQueueNums":1}]}`;

describe('decodeTopicRoute', () => {
  const route = decodeTopicRoute('t', Buffer.from(ROUTE));

  it('distinguishes masters from replicas and sorts by broker', () => {
    expect(route.brokers.map((broker) => [broker.brokerName, broker.masterAddress])).toEqual([
      ['a', undefined],
      ['b', '10.0.0.2:10911'],
    ]);
    expect([...route.brokers[1]!.addresses]).toEqual([
      [0, '10.0.0.2:10911'],
      [1, '10.0.0.3:10911'],
    ]);
  });

  it('lists queues by permission', () => {
    expect(writableQueues(route)).toEqual([{ topic: 't', brokerName: 'b', queueId: 0 }]);
    expect(readableQueues(route).map((queue) => [queue.brokerName, queue.queueId])).toEqual([
      ['a', 0],
      ['b', 0],
      ['b', 1],
    ]);
  });

  it('reads the order configuration', () => {
    expect(route.orderedQueues).toBeUndefined();
    const ordered = ROUTE.replace('{', '{"orderTopicConf":"b:1;c:2;;d:x",');
    expect(decodeTopicRoute('t', Buffer.from(ordered)).orderedQueues).toEqual([
      { topic: 't', brokerName: 'b', queueId: 0 },
      { topic: 't', brokerName: 'c', queueId: 0 },
      { topic: 't', brokerName: 'c', queueId: 1 },
    ]);
  });

  it('lists the queues of a static topic by the ids of the whole topic, each on the broker that leads it', () => {
    const mapping = '"topicQueueMappingByBroker":{"b":{"bname":"b","currIdMap":{4:0,2:1,10:2}},"d":{"currIdMap":{}}}';
    const body = Buffer.from(ROUTE.replace('{', `{${mapping},`));
    const isStatic = decodeTopicRoute('t', body);
    const queues = [2, 4, 10].map((queueId) => ({ topic: 't', brokerName: 'b', queueId }));
    expect(writableQueues(isStatic)).toEqual(queues);
    expect(readableQueues(isStatic)).toEqual(queues);
    const moved = body.toString().replace('"d":{"currIdMap":{}}', '"a":{"epoch":2,"currIdMap":{4:0}}');
    const masterOfA = moved.replace('{1:"10.0.0.5:10911"}', '{0:"10.0.0.5:10911"}').replace('"perm":4', '"perm":6');
    expect(writableQueues(decodeTopicRoute('t', Buffer.from(masterOfA)))).toEqual([
      { topic: 't', brokerName: 'a', queueId: 4 },
      ...queues.filter(({ queueId }) => queueId !== 4),
    ]);
    const noId = Buffer.from(body.toString().replace('4:0', 'x:0'));
    expect(() => decodeTopicRoute('t', noId)).toThrow("'currIdMap' of broker 'b' holds ids that no queue has");
  });

  it('refuses a body that is no route', () => {
    expect(() => decodeTopicRoute('t', Buffer.from('[]'))).toThrow(MalformedDataError);
    expect(() => decodeTopicRoute('t', Buffer.from('{"queueDatas":[{"brokerName":"b"}]}'))).toThrow(MalformedDataError);
  });

  it.each(['-1', '1.5', '2147483647', '9223372036854775807'])('refuses %s queues', (count) => {
    for (const field of ['readQueueNums', 'writeQueueNums']) {
      const body = ROUTE.replace(new RegExp(`"${field}":\\d`), `"${field}":${count}`);
      const reason = new RegExp(`'${field}' of broker '.' is -?[\\d.]+, allowed is an integer from 0 to 100000`);
      expect(() => decodeTopicRoute('t', Buffer.from(body))).toThrow(reason);
    }
  });

  it('refuses broker ids that are none', () => {
    for (const id of ['-1', 'x']) {
      const body = ROUTE.replace('"0":"10.0.0.2:10911"', `"${id}":"10.0.0.2:10911"`);
      expect(() => decodeTopicRoute('t', Buffer.from(body))).toThrow(`broker id '${id}' of 10.0.0.2:10911`);
    }
  });
});

describe('decodeClusterInfo', () => {
  it('reads broker ids that are bare keys', () => {
    const body =
      '{"brokerAddrTable":{"b":{"brokerAddrs":{0:"1.1.1.1:10911"},"brokerName":"b","cluster":"c"}},"clusterAddrTable":{"c":["b"]}}';
    expect(decodeClusterInfo(Buffer.from(body)).brokers).toEqual([
      { brokerName: 'b', cluster: 'c', masterAddress: '1.1.1.1:10911', addresses: new Map([[0, '1.1.1.1:10911']]) },
    ]);
  });
});

describe('parseNameServers', () => {
  it('takes semicolons and commas', () => {
    expect(parseNameServers('a:1; b:2,a:1')).toEqual(['a:1', 'b:2']);
  });

  it.each(['', ' ; ', 'a', 'a:b'])('refuses %j', (text) => {
    expect(() => parseNameServers(text)).toThrow(InvalidArgumentError);
  });
});
