import type { CallDeadline } from '../connection/call-deadline.js';
import { isRocketMqError, MalformedDataError, type RocketMqError } from '../errors.js';
import type { ProtoMessage } from './outgoing-message.js';
import { durationOf, messages, protocol, resourceOf, type ServiceError } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';
import { isNoNewMessage, isOk, statusError, statusOf } from './status-error.js';
import { tagExpression } from './consumer-session.js';

export interface ReceiveRequest {
  readonly topic: string;
  readonly group: string;
  readonly filter: string;
  readonly brokerName: string;
  readonly maxMessages: number;
  readonly pollMs: number;
  readonly invisibleMs: number;
}

/** What one long poll brought. Messages that came before an error are there: they are this client's already. */
export interface ReceiveResult {
  readonly messages: readonly ProtoMessage[];
  readonly error: RocketMqError | undefined;
}

/** One long poll at one broker. Never rejects. */
export async function receiveOnce(
  channels: ProxyChannels,
  address: string,
  clientId: string,
  request: ReceiveRequest,
  deadline: CallDeadline,
): Promise<ReceiveResult> {
  const received: ProtoMessage[] = [];
  let error: RocketMqError | undefined;
  let forget: () => void = () => undefined;
  try {
    const { stub, metadata, options } = await channels.prepare(address, 'ReceiveMessage', clientId, deadline);
    const stream = stub.receiveMessage(encodeRequest(request), metadata, options);
    forget = channels.track(stream, deadline.signal);
    await new Promise<void>((resolve) => {
      stream.on('data', (response: InstanceType<typeof messages.ReceiveMessageResponse>) => {
        const message = response.getMessage();
        if (message !== undefined) received.push(message);
        if (!response.hasStatus()) return;
        const status = statusOf(response.getStatus());
        if (isOk(status) || isNoNewMessage(status)) return;
        error = statusError(status, { request: 'ReceiveMessage', address, topic: request.topic });
        channels.noteFailure(address, error);
      });
      stream.on('error', (failure: ServiceError) => {
        error ??= channels.failure(failure, 'ReceiveMessage', address, deadline);
        resolve();
      });
      stream.on('end', resolve);
    });
  } catch (failure) {
    error = isRocketMqError(failure) ? failure : new MalformedDataError('receive over gRPC', String(failure), failure);
  } finally {
    forget();
  }
  return { messages: received, error };
}

function encodeRequest(request: ReceiveRequest): InstanceType<typeof messages.ReceiveMessageRequest> {
  const topic = resourceOf(request.topic);
  const queue = new protocol.MessageQueue()
    .setTopic(topic)
    // All queues of the broker.
    .setId(-1)
    .setPermission(protocol.Permission.READ_WRITE)
    .setBroker(new protocol.Broker().setName(request.brokerName));
  return new messages.ReceiveMessageRequest()
    .setGroup(resourceOf(request.group))
    .setMessageQueue(queue)
    .setFilterExpression(tagExpression(request.filter))
    .setBatchSize(request.maxMessages)
    .setInvisibleDuration(durationOf(request.invisibleMs))
    .setLongPollingTimeout(durationOf(request.pollMs))
    .setAutoRenew(false);
}
