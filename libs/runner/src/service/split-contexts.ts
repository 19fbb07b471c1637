import { type CommandOutcome, extensionError, levelOf, type Pair, PairTable, utf8Bound } from '@sluice/core';
import type { CommandSender, LogFollower } from '@sluice/node';
import { type AgreedPairs, ConnectError, ConnectErrorCode, RetriableError, type SplitContext } from '@sluice/sdk';
import { withLimit } from '@sluice/time';

const COMMAND_TIMEOUT_MS = 10_000;

/** A leader of a lower level may be of a build that does not know the command. */
const LEVEL = levelOf('pairs.extended') ?? 0;

/** Estimated size of one command: the leader puts what it adds into one entry, which takes four times as much. */
const COMMAND_BYTES = 128 * 1_024;

export interface LogPairsOptions {
  readonly commands: Pick<CommandSender, 'submit'>;
  readonly follower: Pick<LogFollower, 'state' | 'proveHead'>;
}

/** Makes what connectors get to split their work, until the node stops. */
export class SplitContexts {
  readonly #stopping = new AbortController();

  constructor(private readonly options: LogPairsOptions) {}

  /** Calls `split` with a context that it may use until it settles, at most for `limitMs`. */
  async within<T>(connectorName: string, limitMs: number, split: (context: SplitContext) => Promise<T>): Promise<T> {
    const settled = new AbortController();
    try {
      return await withLimit(AbortSignal.any([this.#stopping.signal, settled.signal]), limitMs, (signal) =>
        split({ connectorName, signal, pairs: new LogPairs(connectorName, signal, this.options) }),
      );
    } finally {
      settled.abort(new Error('The call that had these pairs has ended'));
    }
  }

  /** Returns the pairs of a connector as the own copy of the log has them: there may be more. */
  known(connectorName: string): ReadonlyMap<string, string> {
    return new Map(this.options.follower.state.pairs.get(connectorName)?.byKey);
  }

  stop(): void {
    this.#stopping.abort(new Error('The node stops'));
  }
}

/** The pairs of a connector as the log has them. Runners ask the leader for more, and each reads them from its own copy of the log. */
class LogPairs implements AgreedPairs {
  constructor(
    private readonly connector: string,
    private readonly signal: AbortSignal,
    private readonly options: LogPairsOptions,
  ) {}

  /**
   * Asks the broker where the log ends and reads up to there. Whatever was answered before is in the log by then, and no leader is needed.
   *
   * @throws RetriableError
   */
  async read(): Promise<ReadonlyMap<string, string>> {
    const { connector, signal } = this;
    try {
      signal.throwIfAborted();
      await this.options.follower.proveHead(signal);
    } catch (error) {
      throw new RetriableError(`The pairs of connector ${connector} cannot be read: ${(error as Error).message}`, { cause: error });
    }
    // Of its own: nobody changes what is folded.
    return new Map(this.#table.byKey);
  }

  /**
   * Asks for those pairs alone that the own copy of the log does not rule out. What it does is final, however old the copy is.
   *
   * @throws ConnectError with code `CONNECT_CONFIG_INVALID` when a limit is exceeded, `CONNECT_NOT_FOUND` when the connector was
   *   deleted
   * @throws RetriableError
   */
  async extend(pairs: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const { connector } = this;
    const error = extensionError(connector, this.#table, pairs);
    if (error !== undefined) throw new ConnectError(ConnectErrorCode.configInvalid, error);
    const table = this.#table;
    // Of two with the same value the leader decides: it may know the key of the first already.
    const open = [...pairs].filter((pair) => !table.rulesOut(pair));
    for (const some of inCommands(open)) this.#require(await this.#submit(some));
    return this.read();
  }

  get #table(): PairTable {
    return this.options.follower.state.pairs.get(this.connector) ?? PairTable.EMPTY;
  }

  async #submit(pairs: readonly Pair[]): Promise<CommandOutcome> {
    const { connector, signal } = this;
    try {
      signal.throwIfAborted();
      const { level } = this.options.follower.state;
      if (level < LEVEL)
        throw new Error(`The cluster is at feature level ${level} and needs ${LEVEL}: this works once all nodes are upgraded`);
      const body = { kind: 'pairs.extend', name: connector, pairs } as const;
      return await this.options.commands.submit(body, { timeoutMs: COMMAND_TIMEOUT_MS, signal });
    } catch (error) {
      throw new RetriableError(`Connector ${connector} cannot agree upon pairs now: ${(error as Error).message}`, { cause: error });
    }
  }

  #require(outcome: CommandOutcome): void {
    switch (outcome.status) {
      case 'done':
        return;
      case 'not-found':
        throw new ConnectError(ConnectErrorCode.notFound, outcome.message);
      case 'invalid':
        throw new ConnectError(ConnectErrorCode.configInvalid, outcome.message);
      case 'conflict':
      case 'expired':
        throw new RetriableError(`Connector ${this.connector} cannot agree upon pairs now: ${outcome.message}`);
    }
  }
}

/** Cuts pairs into lists that a command, and the entry that answers it, can hold. */
function* inCommands(pairs: readonly Pair[]): Generator<readonly Pair[]> {
  let some: Pair[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const size = utf8Bound(JSON.stringify(pair)) + 1;
    if (some.length > 0 && bytes + size > COMMAND_BYTES) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(pair);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
