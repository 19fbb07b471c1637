import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { readBodyMap, readMap } from '../wire/tolerant-reader.js';
import { brokerConfigOn, checkSettingsKnown } from './broker-config.js';
import { formatSettings } from './properties-text.js';

/** The masters' own state and settings. Every call may throw the connection's errors and BrokerResponseError. */
export class BrokerAdmin {
  constructor(private readonly cluster: ClusterAccess) {}

  /**
   * Returns what a broker says of itself, such as `brokerVersionDesc`, `putTps`, `commitLogMinOffset`; which there are depends on
   * its version. In its first second or two a broker answers SYSTEM_ERROR, which is retriable. @throws BrokerNotFoundError
   */
  async runtimeInfo(brokerName: string, options?: CallOptions): Promise<ReadonlyMap<string, string>> {
    const deadline = this.cluster.deadline(options);
    return this.#runtimeInfo(await this.cluster.masterAddress(brokerName, deadline), deadline);
  }

  /** RocketMQ's version by broker name, such as `V5_5_0`; of all masters. Of a broker that has just started as `runtimeInfo`. */
  async versions(options?: CallOptions): Promise<ReadonlyMap<string, string>> {
    const deadline = this.cluster.deadline(options);
    const masters = [...(await this.cluster.masters({}, deadline))];
    const versions = await Promise.all(
      masters.map(async ([brokerName, address]): Promise<[string, string]> => {
        const info = await this.#runtimeInfo(address, deadline);
        return [brokerName, info.get('brokerVersionDesc') ?? 'unknown'];
      }),
    );
    return new Map(versions);
  }

  /** Returns all settings of a broker that are not null; those of ACL hold secrets. @throws BrokerNotFoundError */
  async config(brokerName: string, options?: CallOptions): Promise<ReadonlyMap<string, string>> {
    const deadline = this.cluster.deadline(options);
    return brokerConfigOn(this.cluster, await this.cluster.masterAddress(brokerName, deadline), deadline);
  }

  /**
   * Changes settings of a broker, in use and in its file. Many take effect at its next start only.
   * @throws InvalidArgumentError also for a setting that the broker does not have; BrokerNotFoundError;
   * BrokerResponseError for one that it lets nobody change
   */
  async updateConfig(brokerName: string, settings: Readonly<Record<string, string>>, options?: CallOptions): Promise<void> {
    const body = formatSettings(settings);
    const deadline = this.cluster.deadline(options);
    const address = await this.cluster.masterAddress(brokerName, deadline);
    checkSettingsKnown(settings, await brokerConfigOn(this.cluster, address, deadline), address);
    await this.cluster.call(address, { code: REQUEST_CODE.UPDATE_BROKER_CONFIG, ext: {}, body }, deadline);
  }

  async #runtimeInfo(address: string, deadline: CallDeadline): Promise<ReadonlyMap<string, string>> {
    const reply = await this.cluster.call(address, { code: REQUEST_CODE.GET_BROKER_RUNTIME_INFO, ext: {} }, deadline);
    const table = readMap(readBodyMap(reply.body, 'runtime info'), 'table');
    const info = new Map<string, string>();
    for (const [name, value] of table) {
      if (typeof name === 'string' && typeof value === 'string') info.set(name, value);
    }
    return info;
  }
}
