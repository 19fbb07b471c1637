// The peer of the file bench: lines of a file through one queue into another file with nothing but the client. Run as
// `plain-copy.js send|receive NAMESRV TOPIC FILE LINES`, each half in a process of its own, like the runners.
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { BatchEncoder, RocketMqClient, type QueueRef } from '@sluice/rocketmq';

const BATCH_BYTES = 1024 * 1024;
const READ_BYTES = 1024 * 1024;
const NEWLINE = 10;
const noProperties = Buffer.alloc(0);

async function send(client: RocketMqClient, queue: QueueRef, file: string): Promise<void> {
  let batch = new BatchEncoder();
  let inFlight: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await inFlight;
    inFlight = client.producer.sendBatch(queue, batch.finish(), { timeoutMs: 30_000 });
    batch = new BatchEncoder();
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) {
    const data = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      batch.add(data.subarray(start, end), noProperties);
      start = end + 1;
      if (batch.bytes >= BATCH_BYTES) await flush();
    }
    rest = data.subarray(start);
  }
  if (batch.count > 0) await flush();
  await inFlight;
}

async function receive(client: RocketMqClient, queue: QueueRef, file: string, lines: number): Promise<void> {
  const out = createWriteStream(file);
  const reader = client.consumer.readQueue(queue, { from: 0, group: 'plain-copy', ahead: 4 });
  const lineEnd = Buffer.from('\n');
  for (let received = 0; received < lines;) {
    const messages = await reader.next();
    received += messages.length;
    const text = Buffer.concat(messages.flatMap((message) => [message.body, lineEnd]));
    if (!out.write(text)) await once(out, 'drain');
  }
  reader.close();
  out.end();
  await once(out, 'finish');
}

const [mode, namesrv = '', topic = '', file = '', lines = '0'] = process.argv.slice(2);
const client = RocketMqClient.open({ namesrv });
const broker = (await client.routes.get(topic)).brokers[0];
if (broker === undefined) throw new Error(`topic ${topic} has no broker`);
const queue = { topic, brokerName: broker.brokerName, queueId: 0 };
if (mode === 'send') await send(client, queue, file);
else await receive(client, queue, file, Number(lines));
await client.close();
