export * from './errors.js';
export { RocketMqClient, type RocketMqClientOptions, type Routes } from './rocketmq-client.js';
export { type Producer, type OutgoingMessage, type SendOptions, type SendResult, type SendStatus } from './produce/producer.js';
export { type Consumer } from './consume/consumer.js';
export { logicalMessages, MessageUnreadableError, type LogicalMessage, type LogicalMessagesOptions } from './consume/logical-messages.js';
export { SendOutcomeUnknownError, type SendSettlement, type UnknownOutcomeReason } from './produce/send-outcome.js';
export { type MessageFilter } from './consume/message-filter.js';
export { type PullOptions, type PullResult, type ReplicaReadMode } from './consume/pull.js';
export { type PullBudget } from './consume/pull-budget.js';
export { type QueueReader } from './consume/queue-reader.js';
export { type QueueReaderOptions, type QueueReaderState } from './consume/queue-reader-options.js';
export { isMessageRefused, isQueueRefused } from './routing/response-error.js';
export {
  AckFailedError,
  type AckFailure,
  type PopConsumer,
  type PopConsumerOptions,
  type PoppedMessage,
  type PopReceiveOptions,
} from './consume/pop/pop-consumer.js';
export { type PopStart } from './consume/pop/pop-request.js';
export { type StoredAt } from './produce/topic-producer/pending-message.js';
export { SendsFailedError, type SendFailureOfMany } from './produce/topic-producer/send-receivers.js';
export { type TopicProducerOptions } from './produce/topic-producer/producer-options.js';
export { type CompressionOptions, type ProducerMessage } from './produce/topic-producer/producer-message.js';
export {
  ProducerClosedError,
  ProducerOverloadedError,
  type TopicProducer,
  type TopicProducerStats,
  type TopicSendOptions,
} from './produce/topic-producer/topic-producer.js';
export { type CompressionType } from './wire/compressed-body.js';
export {
  type Acl,
  type AclAction,
  type AclAdmin,
  type AclRule,
  type AclUser,
  type AclUserType,
  type CreateAclUserOptions,
  type ListAclUsersOptions,
  type UpdateAclUserOptions,
} from './admin/acl-admin.js';
export { type Credentials, type CredentialsSource } from './connection/credentials.js';
export { type TlsOptions } from './connection/tls-settings.js';
export {
  type PlainAclAccount,
  type PlainAclAdmin,
  type PlainAclConfig,
  type PlainAclConfigOptions,
  type PlainAclPerm,
  type PutPlainAclAccountOptions,
} from './admin/plain-acl-admin.js';
export { type Admin } from './admin/admin.js';
export { type BrokerAdmin } from './admin/broker-admin.js';
export { type ClientConnection, type ConsumerRunningInfo } from './admin/client-connections.js';
export { type CreateGroupOptions, type UpdateGroupOptions } from './admin/group-admin.js';
export { type GroupConfig, type GroupRetryPolicy, type GroupSettings, type GroupTable } from './admin/group-config.js';
export {
  type FoundMessages,
  type MessageByKeyOptions,
  type MessageQuery,
  type MessagesInTime,
  type MessagesInTimeOptions,
} from './admin/message-query.js';
export { type KvKey, type NameServerAdmin } from './admin/name-server-admin.js';
export { isGroupMissing } from './admin/group-errors.js';
export { type TimeBoundary } from './admin/offset-admin.js';
export { decodeOffsetMessageId, encodeOffsetMessageId, type MessagePosition } from './admin/offset-message-id.js';
export { type QueueOffset, type ResetTarget } from './admin/offset-reset.js';
export { type QueueLockOptions, type QueueLocks } from './admin/queue-locks.js';
export { type GroupProgress, type QueueConsumeStats, type QueueProgress, type QueueStats } from './admin/queue-stats.js';
export { type CreateTopicOptions, type UpdateTopicOptions } from './admin/topic-admin.js';
export { type TopicConfig, type TopicTable } from './admin/topic-config.js';
export { type BackoffLimits } from '@sluice/time';
export { type ClientEvent, type ClientEventListener } from './connection/client-event.js';
export { type CallOptions } from './connection/call-deadline.js';
export { parseNameServers } from './routing/name-servers.js';
export {
  readableQueues,
  TOPIC_PERM,
  writableQueues,
  type BrokerRoute,
  type ClusterBroker,
  type ClusterInfo,
  type QueueRef,
  type TopicPerm,
  type TopicRoute,
} from './routing/topic-route.js';
export {
  BatchEncoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type BatchEncoderOptions,
  type EncodedBatch,
  type EncodedMessage,
} from './wire/batch-encoder.js';
export { MESSAGE_PROPERTY } from './wire/message-property.js';
export { encodeProperties } from './wire/property-codec.js';
export { type InnerMessage } from './wire/inner-batch.js';
export { type HeaderFormat } from './wire/remoting-codec.js';
export { decodeStoredMessages, StoredMessage } from './wire/stored-message.js';
export { SYS_FLAG } from './wire/sys-flag.js';
export {
  type AckOutcome,
  type FailedOutcome,
  type MessageReceiver,
  type MessageSender,
  type MessagingCluster,
  type ReceivedMessage,
  type ReceiveOptions,
  type ReceiverOptions,
  type SendOutcome,
  type StoredOutcome,
  type TopicMessage,
} from './messaging/message-port.js';
export { openMessaging, type OpenMessagingOptions } from './messaging/open-messaging.js';
export { formatAddress, type MessagingAddress, type MessagingUrl, parseMessagingUrl } from './messaging/messaging-url.js';
