// One side of the client bench, in a process of its own: `client-load.js send NAMESRV TOPIC QUEUES BATCH IN_FLIGHT` sends
// until its input ends; `client-load.js pull NAMESRV TOPIC QUEUES PER_PULL END` reads every queue up to END. `bare-send` and
// `bare-pull` do the same over a socket without a client.
// Prints "ready", starts at a line on its input, and prints one line of JSON at its end.
import { once } from 'node:events';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { BatchEncoder, RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { barePull, bareSend } from './bare-socket.js';

const BODY_BYTES = 1024;
const body = Buffer.alloc(BODY_BYTES, 'x');
let isStopped = false;

export interface LoadResult {
  readonly messages: number;
  readonly milliseconds: number;
  readonly cpuMicros: number;
  /** The part of it that the kernel used. */
  readonly systemMicros: number;
  /** On the JavaScript heap; the bytes of sockets and messages are not on it. */
  readonly heapBytes: number;
}

/** What the JavaScript heap grew between collections, added up. */
class Allocations {
  readonly #profiler = new GCProfiler();
  readonly #start = getHeapStatistics().used_heap_size;

  constructor() {
    this.#profiler.start();
  }

  bytes(): number {
    const end = getHeapStatistics().used_heap_size;
    let from = this.#start;
    let sum = 0;
    for (const { beforeGC, afterGC } of this.#profiler.stop().statistics) {
      sum += Math.max(0, beforeGC.heapStatistics.usedHeapSize - from);
      from = afterGC.heapStatistics.usedHeapSize;
    }
    return sum + Math.max(0, end - from);
  }
}

async function send(client: RocketMqClient, queues: readonly QueueRef[], batch: number, inFlight: number): Promise<number> {
  const noProperties = Buffer.alloc(0);
  let messages = 0;
  let turn = 0;
  const lane = async (): Promise<void> => {
    const encoder = new BatchEncoder();
    while (!isStopped) {
      const queue = queues[turn++ % queues.length];
      if (queue === undefined) return;
      for (let i = 0; i < batch; i += 1) encoder.add(body, noProperties);
      await client.producer.sendBatch(queue, encoder.finish(), { timeoutMs: 30_000 });
      encoder.reset();
      messages += batch;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return messages;
}

async function pull(client: RocketMqClient, queues: readonly QueueRef[], perPull: number, end: number): Promise<number> {
  const counts = queues.map(async (queue) => {
    const reader = client.consumer.readQueue(queue, { from: 0, group: 'bench', maxMessagesPerPull: perPull });
    let read = 0;
    let bytes = 0;
    while (reader.position < end) {
      for (const message of await reader.next()) {
        read += 1;
        bytes += message.bodyBytes;
      }
    }
    reader.close();
    if (bytes !== read * BODY_BYTES) throw new Error(`${read} messages with ${bytes} bytes of body`);
    return read;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

const [mode = '', namesrv = '', topic = '', queueCount = '0', ...numbers] = process.argv.slice(2);
const [first = 0, second = 0] = numbers.map(Number);
const client = RocketMqClient.open({ namesrv });
const broker = (await client.routes.get(topic)).brokers[0];
if (broker === undefined) throw new Error(`topic ${topic} has no broker`);
const queues = Array.from({ length: Number(queueCount) }, (_, queueId) => ({
  topic,
  brokerName: broker.brokerName,
  queueId,
}));
process.stdout.write('ready\n');
process.stdin.resume();
void once(process.stdin, 'end').then(() => (isStopped = true));
await once(process.stdin, 'data');
const cpu = process.cpuUsage();
const allocations = new Allocations();
const started = performance.now();
const address = broker.masterAddress ?? '';
const loads: Readonly<Record<string, () => Promise<number>>> = {
  send: () => send(client, queues, first, second),
  pull: () => pull(client, queues, first, second),
  'bare-send': () => bareSend(address, queues, { batch: first, inFlight: second, body }, () => isStopped),
  'bare-pull': () => barePull(address, queues, { perPull: first, end: second }),
};
const messages = (await loads[mode]?.()) ?? 0;
const milliseconds = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
const result: LoadResult = {
  messages,
  milliseconds,
  cpuMicros: user + system,
  systemMicros: system,
  heapBytes: allocations.bytes(),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await client.close();
process.stdin.destroy();
