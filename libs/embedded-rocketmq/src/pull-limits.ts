/** What one pull may bring, as settings of a broker. */
export type PullLimits = Readonly<
  Record<'maxTransferCountOnMessageInMemory' | 'maxTransferCountOnMessageInDisk' | 'maxTransferBytesOnMessageInDisk', string>
>;

/**
 * Limits that Sluice recommends (`docs/operations/brokers.md`). The one of bytes in memory stays at RocketMQ's 256 KiB: a larger one brings
 * more bytes to readers that ask for few messages, too.
 */
export const PULL_LIMITS: PullLimits = {
  maxTransferCountOnMessageInMemory: '512',
  maxTransferCountOnMessageInDisk: '512',
  maxTransferBytesOnMessageInDisk: '262144',
};

/** The same limits of a broker that nobody configured. */
export const ROCKETMQ_PULL_LIMITS: PullLimits = {
  maxTransferCountOnMessageInMemory: '32',
  maxTransferCountOnMessageInDisk: '8',
  maxTransferBytesOnMessageInDisk: '65536',
};
