import { withinTime } from '@sluice/time';
import type { ResolvedRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError } from '../contract/rpc-error.js';

/** For this long a poll may repeat a refusal from before the group existed: the longest pause between two polls, and some more. */
const LATE_REPORT_MS = 6_000;

/** Creates the consumer group of a node on the rpc topic, at the start and after its deletion. */
export class LinkGroup {
  #preparing: Promise<void> | undefined;
  #preparedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: Pick<ResolvedRpcEndpointOptions, 'group' | 'topic' | 'startupTimeoutMs' | 'prepareGroup' | 'logger'>,
  ) {}

  /** @throws what prevented it, or that it took too long */
  async prepare(): Promise<void> {
    const { group, prepareGroup, startupTimeoutMs, topic } = this.options;
    await withinTime(prepareGroup(group, topic), startupTimeoutMs, () => {
      const reason = `Group '${group}' was not prepared within ${startupTimeoutMs} ms`;
      return new RpcError(RPC_ERROR_CODES.unavailable, reason, { retriable: true });
    });
  }

  /**
   * Creates a missing group again, and warns where that fails; never rejects. Callers at the same time, and those who learn of the loss
   * later, share one creation. Another one would move the group past what came in since the first.
   */
  prepareAgain(): Promise<void> {
    if (performance.now() - this.#preparedAt < LATE_REPORT_MS) return Promise.resolve();
    this.#preparing ??= this.prepare()
      .then(() => {
        this.#preparedAt = performance.now();
      })
      .catch((error: unknown) => {
        const { group, logger, topic } = this.options;
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn(`Group '${group}' of topic '${topic}' is missing and cannot be created: ${reason}`);
      })
      .finally(() => {
        this.#preparing = undefined;
      });
    return this.#preparing;
  }
}
