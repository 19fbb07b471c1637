import type { SendOutcome } from '../messaging/message-port.js';
import { MalformedDataError, type RocketMqError } from '../errors.js';
import type { CheckedMessage } from './outgoing-message.js';
import { type AskedProxy, isOk, isStoredAnyway, mayBeExecuted, type ProxyStatus, statusError } from './status-error.js';

export interface SendReply {
  readonly status: ProxyStatus;
  readonly entries: readonly { readonly status: ProxyStatus; readonly offset: number }[];
}

/**
 * Returns the outcomes of one request. For several messages the Proxy (up to 5.5.0) gives a single entry with the offset of the
 * first message; the others follow without a gap. One entry per message is understood as well.
 */
export function readSendReply(
  reply: SendReply,
  messages: readonly CheckedMessage[],
  asked: AskedProxy,
  brokerName: string | undefined,
): SendOutcome[] {
  const { entries, status } = reply;
  if (entries.length === messages.length || entries.length === 1) {
    return messages.map(({ messageId }, index) => {
      const entry = entries[entries.length === 1 ? 0 : index] ?? { status, offset: 0 };
      const offset = entry.offset + (entries.length === 1 ? index : 0);
      return outcome(messageId, entry.status, offset, asked, brokerName);
    });
  }
  if (entries.length === 0 && !isOk(status)) {
    return messages.map(({ messageId }) => outcome(messageId, status, 0, asked, brokerName));
  }
  const counted = `${entries.length} entries for ${messages.length} messages`;
  const error = new MalformedDataError('reply to a send', counted);
  return messages.map(({ messageId }) => failedOutcome(messageId, error, true));
}

export function failedOutcome(messageId: string, error: RocketMqError, mayBeStored: boolean): SendOutcome {
  return { status: 'failed', messageId, error, mayBeStored };
}

function outcome(messageId: string, status: ProxyStatus, offset: number, asked: AskedProxy, brokerName: string | undefined): SendOutcome {
  if (isOk(status)) return { status: 'stored', messageId, brokerName, offset };
  if (isStoredAnyway(status)) return { status: 'stored', messageId, brokerName };
  return failedOutcome(messageId, statusError(status, asked), mayBeExecuted(status));
}
