import {
  BrokerResponseError,
  InvalidArgumentError,
  isRocketMqError,
  type NameServerFailure,
  NameServersFailedError,
  type RocketMqError,
} from '../errors.js';
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

/** How long a name server that failed is asked after the others. */
const DOUBT_MS = 30_000;

/**
 * The cluster's name servers. They do not know of each other, so any that answers will do, and one that answers
 * "unknown" may just have restarted: the next is asked. Nothing that one of them does ends the question.
 */
export class NameServers {
  #preferred = 0;
  /** By index: until when a failed one comes last. */
  readonly #inDoubtUntil = new Map<number, number>();

  constructor(
    readonly addresses: readonly string[],
    private readonly pool: Pick<ConnectionPool, 'invoke' | 'backoffRemainingMs' | 'isClosed'>,
  ) {}

  /**
   * The first successful reply. Each server gets an equal share of the time that is left. With `isOtherWanted` another
   * server than the one that answered last is asked first, since that one's view may be old.
   *
   * @throws BrokerResponseError when all replied with the same other code; NameServersFailedError when several failed in
   * different ways; the failure itself when there is one name server; RequestAbortedError, ClientClosedError
   */
  async ask(
    request: RemotingRequest,
    deadline: CallDeadline,
    { isOtherWanted = false }: { readonly isOtherWanted?: boolean } = {},
  ): Promise<RemotingCommand> {
    const failures: NameServerFailure[] = [];
    const order = this.#order(isOtherWanted ? 1 : 0);
    for (const [tried, index] of order.entries()) {
      const address = this.addresses[index] ?? '';
      try {
        const share = deadline.within(deadline.remainingMs / (order.length - tried));
        const reply = await this.pool.invoke(address, request, share);
        this.#inDoubtUntil.delete(index);
        if (reply.code === RESPONSE_CODE.SUCCESS) {
          this.#preferred = index;
          return reply;
        }
        failures.push({ address, error: refusalOf(request, address, reply) });
      } catch (error) {
        const isOver = this.pool.isClosed || deadline.signal?.aborted === true;
        if (isOver || !isRocketMqError(error)) throw error;
        this.#inDoubtUntil.set(index, performance.now() + DOUBT_MS);
        failures.push({ address, error });
      }
    }
    throw failureOf(request, failures);
  }

  /** Sends to every name server; rejects with the first failure after all have ended. */
  async tellAll(request: RemotingRequest, deadline: CallDeadline): Promise<void> {
    const results = await Promise.allSettled(
      this.addresses.map((address) => this.pool.invoke(address, request, deadline)),
    );
    for (const [index, result] of results.entries()) {
      if (result.status === 'rejected') throw result.reason;
      if (result.value.code !== RESPONSE_CODE.SUCCESS) {
        throw refusalOf(request, this.addresses[index] ?? '', result.value);
      }
    }
  }

  /** From the one that answered last, or `skipped` after it; those that failed or wait out a failed connection last. */
  #order(skipped: number): number[] {
    const count = this.addresses.length;
    const now = performance.now();
    const penalty = (index: number): number =>
      this.pool.backoffRemainingMs(this.addresses[index] ?? '') +
      Math.max(0, (this.#inDoubtUntil.get(index) ?? 0) - now);
    return Array.from({ length: count }, (_, step) => (this.#preferred + skipped + step) % count)
      .map((index) => ({ index, penalty: penalty(index) }))
      .sort((a, b) => a.penalty - b.penalty)
      .map(({ index }) => index);
  }
}

function refusalOf(request: RemotingRequest, address: string, reply: RemotingCommand): BrokerResponseError {
  return new BrokerResponseError(
    { request: requestName(request.code), address, responseCode: reply.code, remark: reply.remark },
    { retriable: false },
  );
}

function failureOf(request: RemotingRequest, failures: readonly NameServerFailure[]): RocketMqError {
  const [first] = failures;
  const name = requestName(request.code);
  if (first === undefined) return new NameServersFailedError(name, failures);
  if (failures.length === 1) return first.error;
  const { error } = first;
  const isUnanimous =
    error instanceof BrokerResponseError &&
    failures.every((one) => one.error instanceof BrokerResponseError && one.error.responseCode === error.responseCode);
  if (!isUnanimous) return new NameServersFailedError(name, failures);
  const address = failures.map((one) => one.address).join(', ');
  return new BrokerResponseError(
    { request: name, address, responseCode: error.responseCode, remark: error.remark },
    { retriable: false },
  );
}
