import { BrokerResponseError, InvalidArgumentError, isRocketMqError } from '../errors.js';
import { type CallDeadline } from '../connection/call-deadline.js';
import { type ConnectionPool } from '../connection/connection-pool.js';
import { parseBrokerAddress } from '../connection/broker-address.js';
import { type RemotingCommand, type RemotingRequest } from '../wire/remoting-codec.js';
import { requestName } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/**
 * `host:port`, several separated by `;` or `,`.
 * @throws InvalidArgumentError
 */
export function parseNameServers(namesrv: string): readonly string[] {
  const addresses = namesrv
    .split(/[;,]/)
    .map((address) => address.trim())
    .filter((address) => address.length > 0);
  for (const address of addresses) parseBrokerAddress(address);
  if (addresses.length === 0) throw new InvalidArgumentError(`name servers '${namesrv}': at least one host:port`);
  return [...new Set(addresses)];
}

/**
 * The cluster's name servers. They do not know of each other, so any that answers will do, and one that answers
 * "unknown" may just have restarted: the next is asked.
 */
export class NameServers {
  #preferred = 0;

  constructor(
    readonly addresses: readonly string[],
    private readonly pool: ConnectionPool,
  ) {}

  /**
   * The first successful reply. Without one: the first reply with another code, thrown as BrokerResponseError; without
   * any reply: the last failure. Each server gets an equal share of the time that is left.
   */
  async ask(request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    let refusal: BrokerResponseError | undefined;
    let failure: unknown;
    const order = this.#order();
    for (const [tried, index] of order.entries()) {
      const address = this.addresses[index];
      if (address === undefined) continue;
      try {
        const share = deadline.within(deadline.remainingMs / (order.length - tried));
        const reply = await this.pool.invoke(address, request, share);
        if (reply.code === RESPONSE_CODE.SUCCESS) {
          this.#preferred = index;
          return reply;
        }
        refusal ??= new BrokerResponseError(
          { request: requestName(request.code), address, responseCode: reply.code, remark: reply.remark },
          { retriable: false },
        );
      } catch (error) {
        if (!isRocketMqError(error) || !error.retriable) throw error;
        failure = error;
      }
    }
    throw refusal ?? failure;
  }

  /** Sends to every name server; rejects with the first failure after all have ended. */
  async tellAll(request: RemotingRequest, deadline: CallDeadline): Promise<void> {
    const results = await Promise.allSettled(
      this.addresses.map((address) => this.pool.invoke(address, request, deadline)),
    );
    for (const [index, result] of results.entries()) {
      if (result.status === 'rejected') throw result.reason;
      const { code, remark } = result.value;
      if (code !== RESPONSE_CODE.SUCCESS) {
        throw new BrokerResponseError(
          { request: requestName(request.code), address: this.addresses[index] ?? '', responseCode: code, remark },
          { retriable: false },
        );
      }
    }
  }

  /** The last one that answered first; those that wait out a failed connection last. */
  #order(): number[] {
    const count = this.addresses.length;
    const order = Array.from({ length: count }, (_, step) => (this.#preferred + step) % count);
    const waitMs = (index: number): number => this.pool.backoffRemainingMs(this.addresses[index] ?? '');
    return order.sort((a, b) => waitMs(a) - waitMs(b));
  }
}
