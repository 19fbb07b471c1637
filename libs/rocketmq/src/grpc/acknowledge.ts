import type { CallDeadline } from '../connection/call-deadline.js';
import { isRocketMqError, MalformedDataError, type RocketMqError } from '../errors.js';
import type { AckOutcome } from '../messaging/message-port.js';
import type { GrpcDelivery } from './incoming-message.js';
import { durationOf, messages, resourceOf } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';
import { isOk, type ProxyStatus, statusError, statusOf } from './status-error.js';

export interface AckTarget {
  readonly channels: ProxyChannels;
  readonly clientId: string;
  readonly topic: string;
  readonly group: string;
}

export interface AckEntry {
  readonly messageId: string;
  readonly delivery: GrpcDelivery;
}

export interface AckReply {
  readonly status: ProxyStatus;
  readonly entries: readonly { readonly receiptHandle: string; readonly status: ProxyStatus }[];
}

/** Acknowledges messages that one proxy delivered, in one request. Never rejects. */
export async function acknowledge(
  target: AckTarget,
  address: string,
  entries: readonly AckEntry[],
  deadline: CallDeadline,
): Promise<readonly AckOutcome[]> {
  const { channels, clientId, group, topic } = target;
  const request = new messages.AckMessageRequest().setGroup(resourceOf(group)).setTopic(resourceOf(topic));
  for (const { messageId, delivery } of entries) {
    request.addEntries().setMessageId(messageId).setReceiptHandle(delivery.receiptHandle);
  }
  try {
    const response = await channels.unary<InstanceType<typeof messages.AckMessageResponse>>(
      address,
      'AckMessage',
      clientId,
      deadline,
      ({ stub, metadata, options }, done) => stub.ackMessage(request, metadata, options, done),
    );
    const reply = {
      status: statusOf(response.getStatus()),
      entries: response.getEntriesList().map((entry) => ({ receiptHandle: entry.getReceiptHandle(), status: statusOf(entry.getStatus()) })),
    };
    return readAckReply(reply, entries, address, topic);
  } catch (cause) {
    const error = isRocketMqError(cause) ? cause : new MalformedDataError('reply to an ack', String(cause), cause);
    return entries.map(({ messageId }) => failed(messageId, error));
  }
}

/** Each entry has its own status: an overall "several results" says nothing about a message. */
export function readAckReply(reply: AckReply, entries: readonly AckEntry[], address: string, topic: string): AckOutcome[] {
  const statuses = new Map(reply.entries.map(({ receiptHandle, status }) => [receiptHandle, status]));
  const asked = { request: 'AckMessage', address, topic };
  return entries.map(({ messageId, delivery }) => {
    const own = statuses.get(delivery.receiptHandle) ?? reply.status;
    return isOk(own) ? { status: 'acknowledged', messageId } : failed(messageId, statusError(own, asked));
  });
}

/** @returns the handle that names the delivery from now on @throws RocketMqError */
export async function changeInvisibility(
  target: AckTarget,
  { messageId, delivery }: AckEntry,
  ms: number,
  deadline: CallDeadline,
): Promise<string> {
  const { channels, clientId, group, topic } = target;
  const { address } = delivery;
  const request = new messages.ChangeInvisibleDurationRequest()
    .setGroup(resourceOf(group))
    .setTopic(resourceOf(topic))
    .setMessageId(messageId)
    .setReceiptHandle(delivery.receiptHandle)
    .setInvisibleDuration(durationOf(ms));
  const response = await channels.unary<InstanceType<typeof messages.ChangeInvisibleDurationResponse>>(
    address,
    'ChangeInvisibleDuration',
    clientId,
    deadline,
    ({ stub, metadata, options }, done) => stub.changeInvisibleDuration(request, metadata, options, done),
  );
  const status = statusOf(response.getStatus());
  if (!isOk(status)) throw statusError(status, { request: 'ChangeInvisibleDuration', address, topic });
  return response.getReceiptHandle();
}

function failed(messageId: string, error: RocketMqError): AckOutcome {
  return { status: 'failed', messageId, error };
}
