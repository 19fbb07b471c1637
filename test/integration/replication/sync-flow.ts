import type { RocketMqClient } from '@sluice/rocketmq';
import { ConfigSync } from '../../../libs/connectors/rocketmq/src/sync/config-sync.js';

/** One cluster of a flow in a spec. */
export interface FlowSide {
  readonly client: RocketMqClient;
  readonly identity: string;
}

export interface SyncFlowOptions {
  readonly from: FlowSide;
  readonly to: FlowSide;
  readonly name?: string;
  readonly generation?: number;
  readonly config?: Readonly<Record<string, string>>;
  /** Target names by source name; asked again in each round. */
  readonly topics?: () => ReadonlyMap<string, string>;
  readonly queues?: () => ReadonlyMap<string, string>;
}

/** A configuration sync that runs as in a connector's instance, a round each second. */
export class SyncFlow {
  readonly #stop = new AbortController();
  readonly #sync = new ConfigSync();
  readonly lines: string[] = [];

  static async start(options: SyncFlowOptions): Promise<SyncFlow> {
    const flow = new SyncFlow();
    const { from, to, name = 'flow', generation = 1, config = {}, topics = () => new Map(), queues = () => new Map() } = options;
    const log = (message: string): void => {
      flow.lines.push(message);
    };
    const connector = {
      connectorName: name,
      generation,
      config: { 'sync.interval.ms': '1000', ...config },
      logger: { debug: log, info: log, warn: log, error: log },
      signal: flow.#stop.signal,
      agreedPairs: () => Promise.resolve(new Map<string, string>()),
      requestTaskReconfiguration: () => undefined,
      raiseError: (error: unknown) => {
        log(String(error));
      },
    };
    await flow.#sync.start({ connector, topics, queues, signal: flow.#stop.signal }, { source: from, target: to });
    return flow;
  }

  get status(): NonNullable<ReturnType<ConfigSync['status']>> {
    const status = this.#sync.status();
    if (status === undefined) throw new Error('the flow has not started');
    return status;
  }

  /** The lines that were logged about changes of the target. */
  get changes(): string[] {
    return this.lines.filter((line) => /^Configuration sync: (create|update|delete|put) /.test(line));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#sync.stop();
  }
}
