// One side of the client bench, in a process of its own: `client-load.js send NAMESRV TOPIC QUEUES BATCH IN_FLIGHT` sends
// until its input ends; `client-load.js pull NAMESRV TOPIC QUEUES PER_PULL END` reads every queue up to END.
// Prints "ready", starts at a line on its input, and prints one line of JSON at its end.
import { once } from 'node:events';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { BatchEncoder, RocketMqClient, type QueueRef } from '@sluice/rocketmq';

const bodyBytes = 1024;

export interface LoadResult {
  readonly messages: number;
  readonly milliseconds: number;
  readonly cpuMicros: number;
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

async function send(
  client: RocketMqClient,
  queues: readonly QueueRef[],
  batch: number,
  inFlight: number,
): Promise<number> {
  const body = Buffer.alloc(bodyBytes, 'x');
  const noProperties = Buffer.alloc(0);
  let stopped = false;
  void once(process.stdin, 'end').then(() => (stopped = true));
  let messages = 0;
  let turn = 0;
  const lane = async (): Promise<void> => {
    const encoder = new BatchEncoder();
    while (!stopped) {
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

async function pull(
  client: RocketMqClient,
  queues: readonly QueueRef[],
  perPull: number,
  end: number,
): Promise<number> {
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
    if (bytes !== read * bodyBytes) throw new Error(`${read} messages with ${bytes} bytes of body`);
    return read;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

const [mode, namesrv = '', topic = '', queueCount = '0', ...numbers] = process.argv.slice(2);
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
await once(process.stdin, 'data');
const cpu = process.cpuUsage();
const allocations = new Allocations();
const started = performance.now();
const messages = await (mode === 'send' ? send : pull)(client, queues, first, second);
const milliseconds = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
const result: LoadResult = { messages, milliseconds, cpuMicros: user + system, heapBytes: allocations.bytes() };
process.stdout.write(`${JSON.stringify(result)}\n`);
await client.close();
process.stdin.destroy();
