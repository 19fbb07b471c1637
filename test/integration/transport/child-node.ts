import type { RpcEndpointOptions } from '../../../libs/rpc/src/index.js';
import { eventually } from './eventually.js';
import { RpcCluster } from './rpc-cluster.js';
import { TcpRelay } from './tcp-relay.js';

/** A process of its own: prints what it did, one line each, and is expected to exit by itself after its last line. */
const scenarios: Record<string, (cluster: RpcCluster) => Promise<void>> = {
  async stop(cluster) {
    const endpoint = await cluster.started('child');
    endpoint.serve(({ data }) => Promise.resolve(data));
    print(`answered ${String(await endpoint.request({ node: 'child', pattern: 'echo' }, 'hello'))}`);
  },

  async cut(cluster) {
    const relay = await TcpRelay.to(cluster.grpcAddress);
    const options: Partial<RpcEndpointOptions> = {
      url: `rocketmq+grpc://${relay.address}`,
      mapAddress: () => relay.address,
    };
    const endpoint = await cluster.started('child', options);
    endpoint.serve(({ data }) => Promise.resolve(data));
    for (let round = 1; round <= 5; round += 1) {
      const before = endpoint.request({ node: 'child', pattern: 'echo' }, round, { timeoutMs: 60_000 });
      relay.cut();
      print(`answered ${String(await before)}`);
    }
    relay.refuse();
    await eventually('the loss', () => endpoint.state === 'connecting');
    relay.restore();
    await eventually('ready', () => endpoint.state === 'ready');
    print(`answered ${String(await endpoint.request({ node: 'child', pattern: 'echo' }, 'after', { timeoutMs: 60_000 }))}`);
    await endpoint.stop();
    await relay.close();
  },

  async failedStart(cluster) {
    const endpoint = cluster.endpoint('child', { url: 'rocketmq+grpc://127.0.0.1:1', startupTimeoutMs: 1_200 });
    await endpoint.start().catch((error: unknown) => {
      print(`failed ${(error as { code: string }).code}`);
    });
  },

  async stopWhileUnreachable(cluster) {
    const relay = await TcpRelay.to(cluster.grpcAddress);
    const endpoint = await cluster.started('child', {
      url: `rocketmq+grpc://${relay.address}`,
      mapAddress: () => relay.address,
    });
    relay.refuse();
    await eventually('the loss', () => endpoint.state === 'connecting');
    await endpoint.stop();
    await relay.close();
  },
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const scenario = scenarios[process.argv[2] ?? ''];
if (scenario === undefined) throw new Error(`Unknown scenario '${process.argv[2] ?? ''}'`);
const cluster = await RpcCluster.create();
await scenario(cluster);
await cluster.close();
print(
  `stopped; open: ${process
    .getActiveResourcesInfo()
    .filter((kind) => kind !== 'PipeWrap')
    .join(',')}`,
);
