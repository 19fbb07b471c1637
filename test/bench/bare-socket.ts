// What the bytes alone cost: the same requests over one socket, with no client around it.
import { once } from 'node:events';
import { connect } from 'node:net';
import { BatchEncoder, type QueueRef } from '@sluice/rocketmq';

const READ_BYTES = 64 * 1024;
const requestCode = { pull: 11, sendBatch: 320 };

interface Reply {
  readonly opaque: number;
  readonly code: number;
  readonly extFields?: Readonly<Record<string, string>>;
}

function frameOf(code: number, opaque: number, extFields: Readonly<Record<string, string>>, body?: Buffer): Buffer {
  const header = Buffer.from(JSON.stringify({ code, language: 'OTHER', version: 513, opaque, flag: 0, extFields }));
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.length + (body?.length ?? 0), 0);
  prefix.writeInt32BE(header.length, 4);
  return Buffer.concat([prefix, header, ...(body === undefined ? [] : [body])]);
}

/** Calls back with the header of each frame once its last byte has come; bodies are passed over. */
function headersOf(onReply: (reply: Reply) => void): (chunk: Buffer) => void {
  const prefix = Buffer.alloc(8);
  let header = Buffer.alloc(0);
  let at = 0;
  let end = Infinity;
  return (chunk) => {
    for (let from = 0; from < chunk.length;) {
      if (at < prefix.length) {
        const copied = chunk.copy(prefix, at, from);
        at += copied;
        from += copied;
        if (at < prefix.length) return;
        end = 4 + prefix.readInt32BE(0);
        header = Buffer.alloc(prefix.readInt32BE(4) & 0xff_ff_ff);
      } else {
        chunk.copy(header, at - prefix.length, from);
        const passed = Math.min(end - at, chunk.length - from);
        at += passed;
        from += passed;
      }
      if (at < end) continue;
      at = 0;
      end = Infinity;
      onReply(JSON.parse(header.toString()) as Reply);
    }
  };
}

/** One connection to a broker. A reply of any code but 0 ends the process. */
class BareSocket {
  onReply: (reply: Reply) => void = () => undefined;
  readonly #socket;

  private constructor(host: string, port: number) {
    const buffer = Buffer.alloc(READ_BYTES);
    const take = headersOf((reply) => {
      if (reply.code !== 0) throw new Error(`the broker answers with code ${reply.code}`);
      this.onReply(reply);
    });
    const callback = (count: number): boolean => {
      take(buffer.subarray(0, count));
      return true;
    };
    this.#socket = connect({ host, port, onread: { buffer, callback } });
    this.#socket.setNoDelay(true);
  }

  static async open(address: string): Promise<BareSocket> {
    const [host = '', port] = address.split(':');
    const bare = new BareSocket(host, Number(port));
    await once(bare.#socket, 'connect');
    return bare;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Sends one batch, encoded before the start, until `isOver` says so. Returns how many messages were stored. */
export async function bareSend(
  address: string,
  queues: readonly QueueRef[],
  { batch, inFlight, body }: { readonly batch: number; readonly inFlight: number; readonly body: Buffer },
  isOver: () => boolean,
): Promise<number> {
  const encoder = new BatchEncoder();
  for (let i = 0; i < batch; i += 1) encoder.add(body, '');
  const { bytes } = encoder.finish();
  const frames = queues.map(({ topic, brokerName, queueId }) => {
    const queue = { a: 'sluice', b: topic, e: String(queueId), n: brokerName, g: String(Date.now()) };
    const rest = { c: 'NO_AUTO_CREATE', d: '1', f: '0', h: '0', i: '', j: '0', k: 'false', m: 'true' };
    return frameOf(requestCode.sendBatch, queueId, { ...queue, ...rest }, bytes);
  });
  const socket = await BareSocket.open(address);
  let messages = 0;
  await new Promise<void>((resolve) => {
    let turn = 0;
    let unanswered = inFlight;
    const next = (): void => {
      const frame = frames[turn++ % frames.length];
      if (frame !== undefined) socket.write(frame);
    };
    socket.onReply = () => {
      messages += batch;
      if (!isOver()) next();
      else if (--unanswered === 0) resolve();
    };
    for (let i = 0; i < inFlight; i += 1) next();
  });
  socket.close();
  return messages;
}

/** Reads every queue up to `end`, one pull at a time per queue. Returns how many messages came. */
export async function barePull(
  address: string,
  queues: readonly QueueRef[],
  { perPull, end }: { readonly perPull: number; readonly end: number },
): Promise<number> {
  const socket = await BareSocket.open(address);
  const offsets = queues.map(() => 0);
  await new Promise<void>((resolve) => {
    let unread = queues.length;
    const ask = (index: number): void => {
      const queue = queues[index];
      if (queue === undefined) return;
      const place = { topic: queue.topic, bname: queue.brokerName, queueId: String(queue.queueId) };
      const range = { queueOffset: String(offsets[index]), maxMsgNums: String(perPull), commitOffset: '0' };
      const rest = { consumerGroup: 'bench', sysFlag: '4', suspendTimeoutMillis: '0', subVersion: '0' };
      const filter = { subscription: '*', expressionType: 'TAG' };
      socket.write(frameOf(requestCode.pull, index, { ...place, ...range, ...rest, ...filter }));
    };
    socket.onReply = ({ opaque, extFields }) => {
      const next = Number(extFields?.['nextBeginOffset']);
      offsets[opaque] = next;
      if (next < end) ask(opaque);
      else if (--unread === 0) resolve();
    };
    for (const index of queues.keys()) ask(index);
  });
  socket.close();
  return offsets.reduce((sum, offset) => sum + offset, 0);
}
