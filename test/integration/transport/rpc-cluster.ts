import { randomBytes } from 'node:crypto';
import { RpcEndpoint, type RpcEndpointOptions } from '../../../libs/rpc/src/index.js';
import { RemotingAdmin } from './remoting-admin.js';

const QUEUES = 4;

export type RpcProtocol = 'grpc' | 'remoting';
export const RPC_PROTOCOLS: readonly RpcProtocol[] = ['grpc', 'remoting'];

/** An rpc topic of its own on the test's RocketMQ, and endpoints on it that end with it. */
export class RpcCluster {
  readonly topic = `it-rpc-${Date.now().toString(36)}${randomBytes(2).toString('hex')}`;
  readonly grpcAddress: string;
  /** Of the whole cluster, by its protocol. */
  readonly url: string;
  readonly logged: string[] = [];
  readonly #admin: RemotingAdmin;
  readonly #endpoints: RpcEndpoint[] = [];

  private constructor(grpcAddress: string, url: string, admin: RemotingAdmin) {
    this.grpcAddress = grpcAddress;
    this.url = url;
    this.#admin = admin;
  }

  static async create(protocol: RpcProtocol = 'grpc'): Promise<RpcCluster> {
    const grpcAddress = process.env['SLUICE_TEST_GRPC'];
    const nameServer = process.env['SLUICE_TEST_NAMESRV'];
    if (grpcAddress === undefined || nameServer === undefined) {
      throw new Error('SLUICE_TEST_NAMESRV and SLUICE_TEST_GRPC must name a RocketMQ');
    }
    const url = protocol === 'grpc' ? `rocketmq+grpc://${grpcAddress}` : `rocketmq://${nameServer}`;
    const cluster = new RpcCluster(grpcAddress, url, RemotingAdmin.open(await RemotingAdmin.brokerOf(nameServer)));
    await cluster.#admin.createTopic(cluster.topic, QUEUES);
    return cluster;
  }

  get prepareGroup(): RpcEndpointOptions['prepareGroup'] {
    return (group, topic) => this.#admin.prepareGroup(group, topic, QUEUES);
  }

  deleteGroup(group: string): Promise<void> {
    return this.#admin.deleteGroup(group);
  }

  endpoint(node: string, options: Partial<RpcEndpointOptions> = {}): RpcEndpoint {
    const log = (message: string): void => {
      this.logged.push(message);
    };
    const endpoint = new RpcEndpoint({
      node,
      topic: this.topic,
      url: this.url,
      prepareGroup: this.prepareGroup,
      logger: { debug: () => undefined, info: () => undefined, warn: log, error: log },
      ...options,
    });
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  async started(node: string, options: Partial<RpcEndpointOptions> = {}): Promise<RpcEndpoint> {
    const endpoint = this.endpoint(node, options);
    await endpoint.start();
    return endpoint;
  }

  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.stop()));
    await this.#admin.deleteTopic(this.topic);
    this.#admin.close();
  }
}
