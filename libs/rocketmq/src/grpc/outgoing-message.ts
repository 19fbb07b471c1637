import { hostname } from 'node:os';
import type { TopicMessage } from '../messaging/message-port.js';
import { mapOf, protocol, timestampOf } from './protobuf.js';

const { Encoding, Message, MessageType, SystemProperties } = protocol;
const BORN_HOST = hostname();

export type ProtoMessage = InstanceType<typeof protocol.Message>;

/** A message that was checked, with the id that it is stored under. */
export interface CheckedMessage {
  readonly message: TopicMessage;
  readonly messageId: string;
}

export function encodeMessage({ message, messageId }: CheckedMessage, topic: InstanceType<typeof protocol.Resource>): ProtoMessage {
  const { body, tag, keys, properties, messageGroup, deliverAt } = message;
  const system = new SystemProperties()
    .setMessageId(messageId)
    .setBornTimestamp(timestampOf(Date.now()))
    .setBornHost(BORN_HOST)
    .setBodyEncoding(Encoding.IDENTITY)
    .setMessageType(messageTypeOf(message));
  if (tag !== undefined) system.setTag(tag);
  if (keys !== undefined && keys.length > 0) system.setKeysList([...keys]);
  if (messageGroup !== undefined) system.setMessageGroup(messageGroup);
  if (deliverAt !== undefined) system.setDeliveryTimestamp(timestampOf(deliverAt));
  const encoded = new Message().setTopic(topic).setBody(body).setSystemProperties(system);
  if (properties !== undefined && properties.size > 0) {
    const map = mapOf(encoded.getUserPropertiesMap());
    for (const [name, value] of properties) map.set(name, value);
  }
  return encoded;
}

function messageTypeOf({ messageGroup, deliverAt }: TopicMessage): (typeof MessageType)[keyof typeof MessageType] {
  if (messageGroup !== undefined) return MessageType.FIFO;
  return deliverAt === undefined ? MessageType.NORMAL : MessageType.DELAY;
}
