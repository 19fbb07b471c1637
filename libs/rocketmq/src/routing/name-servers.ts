import {
  BrokerResponseError,
  InvalidArgumentError,
  isRocketMqError,
  type NameServerFailure,
  NameServersFailedError,
  RequestAbortedError,
  RequestTimeoutError,
  type RocketMqError,
} from '../errors.js';
import { CallDeadline } from '../connection/call-deadline.js';
import type { ConnectionPool } from '../connection/connection-pool.js';
import { parseBrokerAddress } from '../connection/broker-address.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
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
/** How long a question waits for one server before it also goes to the next. */
const PATIENCE_MS = 500;
/** How long a silent server is waited for once another one has refused. */
const SILENCE_LIMIT_MS = 2_000;
/** The same for one that is in doubt. */
const DOUBTED_SILENCE_LIMIT_MS = 250;
/** The part of a call's time that several servers share; the rest is left to report their failures to the caller. */
const ASKING_SHARE = 0.9;

/** One server's part in a question. */
interface Attempt {
  readonly index: number;
  readonly address: string;
  readonly askedAt: number;
  /** When the question ends without this server's answer, if another one has refused by then. */
  readonly waitedForUntil: number;
  readonly end: Promise<AttemptEnd>;
}

type AttemptEnd = { readonly attempt: Attempt } & ({ readonly reply: RemotingCommand } | { readonly error: RocketMqError });

/**
 * Asks the cluster's name servers, one after the other until one answers with success. They do not know of each other, so
 * any that answers will do. One that answers "unknown" may just have restarted, so the next is asked. No failure of one of
 * them ends the question. A silent one holds it up for a moment only: the next is then asked beside it.
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
   * Returns the first successful reply. With `isOtherWanted` another server than the one that answered last is asked first, since
   * that one's view may be old.
   *
   * @throws BrokerResponseError when all replied with the same other code
   * @throws NameServersFailedError when several failed in different ways
   * @throws RequestAbortedError, ClientClosedError; the failure itself when there is one name server
   */
  async ask(
    request: RemotingRequest,
    deadline: CallDeadline,
    { isOtherWanted = false }: { readonly isOtherWanted?: boolean } = {},
  ): Promise<RemotingCommand> {
    const ending = new AbortController();
    const onAbort = (): void => {
      ending.abort(deadline.signal?.reason);
    };
    if (deadline.signal?.aborted === true) onAbort();
    deadline.signal?.addEventListener('abort', onAbort, { once: true });
    const count = this.addresses.length;
    const budgetMs = count === 1 ? deadline.remainingMs : deadline.remainingMs * ASKING_SHARE;
    try {
      return await this.#askInTurn(request, new CallDeadline(Math.max(0, budgetMs), ending.signal), isOtherWanted);
    } finally {
      deadline.signal?.removeEventListener('abort', onAbort);
      ending.abort();
    }
  }

  async #askInTurn(request: RemotingRequest, budget: CallDeadline, isOtherWanted: boolean): Promise<RemotingCommand> {
    const shareMs = budget.remainingMs / this.addresses.length;
    const unasked = this.#order(isOtherWanted ? 1 : 0);
    const running = new Set<Attempt>();
    const failures: NameServerFailure[] = [];
    let hasRefusal = false;
    for (;;) {
      const next = unasked.shift();
      if (next !== undefined) running.add(this.#start(next, request, budget, shareMs));
      if (running.size === 0) throw failureOf(request, this.#inGivenOrder(failures));
      const waitMs = waitOf(running, unasked.length > 0, shareMs, hasRefusal);
      const end = await firstEnd(running, waitMs);
      if (end === undefined) {
        for (const { index } of running) this.#doubt(index);
        if (unasked.length > 0) continue;
        for (const silent of running) failures.push({ address: silent.address, error: silenceOf(request, silent) });
        throw failureOf(request, this.#inGivenOrder(failures));
      }
      running.delete(end.attempt);
      const { index, address } = end.attempt;
      if ('error' in end) {
        if (this.pool.isClosed || budget.signal?.aborted === true) throw end.error;
        failures.push({ address, error: end.error });
      } else if (end.reply.code === RESPONSE_CODE.SUCCESS) {
        this.#preferred = index;
        return end.reply;
      } else {
        hasRefusal = true;
        failures.push({ address, error: refusalOf(request, address, end.reply) });
      }
    }
  }

  /** Asks one server. It stays in doubt, or falls into it, until it has answered. */
  #start(index: number, request: RemotingRequest, budget: CallDeadline, shareMs: number): Attempt {
    const address = this.addresses[index] ?? '';
    const limitMs = Math.min(shareMs, this.#doubtMs(index) > 0 ? DOUBTED_SILENCE_LIMIT_MS : SILENCE_LIMIT_MS);
    const attempt: Attempt = {
      index,
      address,
      askedAt: performance.now(),
      waitedForUntil: performance.now() + limitMs,
      end: this.pool.invoke(address, request, budget).then(
        (reply) => {
          this.#inDoubtUntil.delete(index);
          return { attempt, reply };
        },
        (error: unknown) => {
          if (!isRocketMqError(error)) throw error;
          if (!(error instanceof RequestAbortedError) && !this.pool.isClosed) this.#doubt(index);
          return { attempt, error };
        },
      ),
    };
    attempt.end.catch(() => undefined);
    return attempt;
  }

  /** Once the time is over, one that was only too slow for the short wait gets the long one again. */
  #doubt(index: number): void {
    if (this.#doubtMs(index) === 0) this.#inDoubtUntil.set(index, performance.now() + DOUBT_MS);
  }

  #doubtMs(index: number): number {
    return Math.max(0, (this.#inDoubtUntil.get(index) ?? 0) - performance.now());
  }

  #inGivenOrder(failures: readonly NameServerFailure[]): readonly NameServerFailure[] {
    const rank = ({ address }: NameServerFailure): number => this.addresses.indexOf(address);
    return [...failures].sort((a, b) => rank(a) - rank(b));
  }

  /** Sends to every name server; rejects with the first failure after all have ended. */
  async tellAll(request: RemotingRequest, deadline: CallDeadline): Promise<void> {
    const results = await Promise.allSettled(this.addresses.map((address) => this.pool.invoke(address, request, deadline)));
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
    const penalty = (index: number): number => this.pool.backoffRemainingMs(this.addresses[index] ?? '') + this.#doubtMs(index);
    return Array.from({ length: count }, (_, step) => (this.#preferred + skipped + step) % count)
      .map((index) => ({ index, penalty: penalty(index) }))
      .sort((a, b) => a.penalty - b.penalty)
      .map(({ index }) => index);
  }
}

/** Returns how long the question waits for those that it was put to; undefined: until they end by themselves. */
function waitOf(running: ReadonlySet<Attempt>, isOneUnasked: boolean, shareMs: number, hasRefusal: boolean): number | undefined {
  if (isOneUnasked) return Math.min(shareMs, PATIENCE_MS);
  if (!hasRefusal) return undefined;
  const until = Math.max(...[...running].map((attempt) => attempt.waitedForUntil));
  return Math.max(0, until - performance.now());
}

/** Returns the first that ends, or undefined once the time is over. */
async function firstEnd(running: ReadonlySet<Attempt>, waitMs: number | undefined): Promise<AttemptEnd | undefined> {
  const ends = [...running].map((attempt) => attempt.end);
  if (waitMs === undefined) return Promise.race(ends);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, waitMs, undefined);
  });
  try {
    return await Promise.race([...ends, over]);
  } finally {
    clearTimeout(timer);
  }
}

function refusalOf(request: RemotingRequest, address: string, reply: RemotingCommand): BrokerResponseError {
  return new BrokerResponseError(
    { request: requestName(request.code), address, responseCode: reply.code, remark: reply.remark },
    { retriable: false },
  );
}

function silenceOf(request: RemotingRequest, { address, askedAt }: Attempt): RequestTimeoutError {
  const waitedMs = Math.round(performance.now() - askedAt);
  return new RequestTimeoutError(`${requestName(request.code)} to ${address}`, waitedMs, 'unknown');
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
  return new BrokerResponseError({ request: name, address, responseCode: error.responseCode, remark: error.remark }, { retriable: false });
}
