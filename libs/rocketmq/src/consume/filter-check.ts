import type { RocketMqError } from '../errors.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import type { RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import { filterRefusal, type CompiledFilter } from './message-filter.js';

const MAX_KNOWN = 1_000;

/**
 * Asks each broker once per condition whether it can evaluate it. Only this request shows that. A broker gives all
 * messages to a pull or pop with a condition that it cannot parse, or that its configuration has it ignore.
 */
export class FilterCheck {
  readonly #passed = new Set<string>();

  constructor(private readonly cluster: Pick<ClusterAccess, 'askQueue' | 'queueError'>) {}

  /** @throws UnsupportedByBrokerError, InvalidArgumentError, BrokerResponseError and the connection's errors */
  async pass(filter: CompiledFilter, queue: QueueRef, group: string, deadline: CallDeadline): Promise<void> {
    if (filter.expressionType !== 'SQL92') return;
    const key = `${queue.brokerName} ${filter.expression}`;
    if (this.#passed.has(key)) return;
    const request = checkRequest(filter, queue.topic, group);
    const reply = await this.cluster.askQueue(queue, request, deadline);
    if (reply.code !== RESPONSE_CODE.SUCCESS) {
      const refusal: RocketMqError = this.cluster.queueError(reply, request, queue);
      throw filterRefusal(filter, refusal) ?? refusal;
    }
    if (this.#passed.size >= MAX_KNOWN) this.#passed.clear();
    this.#passed.add(key);
  }
}

function checkRequest({ expression, expressionType }: CompiledFilter, topic: string, group: string): RemotingRequest {
  const subscriptionData = { topic, subString: expression, expressionType, subVersion: 0 };
  return {
    code: REQUEST_CODE.CHECK_CLIENT_CONFIG,
    ext: {},
    body: Buffer.from(JSON.stringify({ clientId: group, group, subscriptionData })),
  };
}
