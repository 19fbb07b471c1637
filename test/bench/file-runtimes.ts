import type { RocketMqClient } from '@sluice/rocketmq';
import { cpuSeconds } from '../support/cpu-time.js';
import { type IsolatedCluster, until } from '../support/sluice-cluster.js';
import type { KafkaConnect } from './kafka-connect.js';

/** Settings of a connector. */
export type Settings = Readonly<Record<string, string>>;

/** A runtime that moves the lines of a file through a topic into another file. */
export interface Runtime {
  readonly name: string;
  /** Where its files are. */
  readonly folder: string;
  createTopic(topic: string): Promise<void>;
  post(name: string, config: Settings): Promise<void>;
  delete(name: string): Promise<void>;
  /** CPU seconds so far, by process. */
  cpu(): Readonly<Record<string, number>>;
}

/** Makes a runtime of a Connect cluster of Sluice. */
export function sluiceRuntime(cluster: IsolatedCluster, client: RocketMqClient): Runtime {
  return {
    name: 'Sluice',
    folder: cluster.directory,
    async createTopic(topic) {
      await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      await until(`topic ${topic} has a route`, () => client.routes.refresh(topic).catch(() => undefined));
    },
    async post(name, config) {
      const { status, body } = await cluster.request('POST', '/connectors', { name, config });
      if (status !== 201) throw new Error(`${name} is refused: ${JSON.stringify(body)}`);
      await cluster.untilTask(name, 'RUNNING');
    },
    async delete(name) {
      await cluster.request('DELETE', `/connectors/${name}`);
    },
    cpu: () => ({
      'source runner': cpuSeconds(cluster.role('source-runner-1').pid),
      'sink runner': cpuSeconds(cluster.role('sink-runner-1').pid),
      broker: cpuSeconds(cluster.rocketmq.pids.broker ?? 0),
    }),
  };
}

/** Makes a runtime of Kafka Connect, whose files are in a folder. */
export function kafkaRuntime(connect: KafkaConnect, folder: string): Runtime {
  return {
    name: 'Kafka Connect',
    folder,
    // Its broker creates a topic for whoever asks for it.
    createTopic: () => Promise.resolve(),
    post: (name, config) => connect.post(name, config),
    delete: (name) => connect.delete(name),
    cpu: () => ({ worker: connect.cpu, broker: connect.brokerCpu }),
  };
}
