import { BaseRpcContext } from '@nestjs/microservices';
import type { RpcMetadata } from '../contract/rpc-message.js';
import type { RpcDelivery } from '../endpoint/rpc-serving.js';

/** What a handler can ask about the call it answers: `@Ctx() context: RocketMqContext`. */
export class RocketMqContext extends BaseRpcContext<[RpcDelivery]> {
  constructor(delivery: RpcDelivery) {
    super([delivery]);
  }

  getPattern(): string {
    return this.args[0].pattern;
  }

  getMessageId(): string {
    return this.args[0].messageId;
  }

  getCorrelationId(): string {
    return this.args[0].correlationId;
  }

  /** 1 for the first delivery. */
  getDeliveryAttempt(): number {
    return this.args[0].deliveryAttempt;
  }

  /** Epoch milliseconds after which nobody waits for the answer. */
  getDeadlineMs(): number {
    return this.args[0].deadlineMs;
  }

  getMetadata(): RpcMetadata {
    return this.args[0].metadata;
  }
}
