import { connect, type Socket } from 'node:net';

interface Reply {
  readonly code: number;
  readonly remark?: string;
  readonly extFields?: Record<string, string>;
  readonly body: string;
}

/** The few administrative commands that gRPC does not have, over RocketMQ's remoting protocol with JSON headers. */
export class RemotingAdmin {
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #socket: Socket;
  #opaque = 0;
  #received = Buffer.alloc(0);

  private constructor(host: string, port: number) {
    this.#socket = connect(port, host);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#read();
    });
  }

  static open(address: string): RemotingAdmin {
    const [host = '', port = ''] = address.split(':');
    return new RemotingAdmin(host, Number(port));
  }

  /** The address of a master broker that the name server knows. */
  static async brokerOf(nameServer: string): Promise<string> {
    const admin = RemotingAdmin.open(nameServer);
    const reply = await admin.call(106, {});
    admin.close();
    const address = /"brokerAddrs":\{"?0"?:"([^"]+)"/.exec(reply.body)?.[1];
    if (address === undefined) throw new Error(`The name server ${nameServer} knows no broker: ${reply.body}`);
    return address;
  }

  async createTopic(topic: string, queues: number): Promise<void> {
    await this.call(17, {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: String(queues),
      writeQueueNums: String(queues),
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
    });
  }

  /** Creates the group and moves it to the end of every queue. */
  async prepareGroup(group: string, topic: string, queues: number): Promise<void> {
    const config = {
      groupName: group,
      consumeEnable: true,
      consumeFromMinEnable: true,
      retryQueueNums: 1,
      retryMaxTimes: 16,
    };
    await this.call(200, {}, Buffer.from(JSON.stringify(config)));
    for (let queueId = 0; queueId < queues; queueId += 1) {
      const max = await this.call(30, { topic, queueId: String(queueId), committed: 'true' });
      const commitOffset = max.extFields?.['offset'] ?? '0';
      await this.call(15, { consumerGroup: group, topic, queueId: String(queueId), commitOffset });
    }
  }

  async deleteGroup(groupName: string): Promise<void> {
    await this.call(207, { groupName, cleanOffset: 'true' });
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.call(215, { topic });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** @throws Error when the answer is no success */
  async call(code: number, extFields: Record<string, string>, body: Buffer = Buffer.alloc(0)): Promise<Reply> {
    this.#opaque += 1;
    const opaque = this.#opaque;
    const header = Buffer.from(
      JSON.stringify({
        code,
        language: 'JAVA',
        version: 453,
        opaque,
        flag: 0,
        extFields,
        serializeTypeCurrentRPC: 'JSON',
      }),
    );
    const lengths = Buffer.alloc(8);
    lengths.writeInt32BE(4 + header.length + body.length, 0);
    lengths.writeInt32BE(header.length, 4);
    this.#socket.write(Buffer.concat([lengths, header, body]));
    const reply = await new Promise<Reply>((resolve) => this.#waiting.set(opaque, resolve));
    if (reply.code !== 0) throw new Error(`Command ${code} was answered with ${reply.code}: ${reply.remark ?? ''}`);
    return reply;
  }

  #read(): void {
    while (this.#received.length >= 8) {
      const total = this.#received.readInt32BE(0);
      if (this.#received.length < 4 + total) return;
      const headerLength = this.#received.readInt32BE(4) & 0xffffff;
      const header = JSON.parse(this.#received.toString('utf8', 8, 8 + headerLength)) as Reply & { opaque: number };
      const body = this.#received.toString('utf8', 8 + headerLength, 4 + total);
      this.#received = this.#received.subarray(4 + total);
      this.#waiting.get(header.opaque)?.({ ...header, body });
      this.#waiting.delete(header.opaque);
    }
  }
}
