import { ROCKETMQ_VERSIONS, type RocketmqVersion } from '@sluice/embedded-rocketmq';

/**
 * The releases beside the newest that a run tests, each on a cluster of its own: 4.9.7, and what SLUICE_TEST_VERSIONS names
 * instead, as in `4.9.7,5.1.4`.
 */
export const olderVersions: readonly RocketmqVersion[] = (process.env['SLUICE_TEST_VERSIONS'] ?? '4.9.7').split(',').map((given) => {
  const version = ROCKETMQ_VERSIONS.find((known) => known === given);
  if (version === undefined) {
    throw new Error(`SLUICE_TEST_VERSIONS names '${given}', allowed are ${ROCKETMQ_VERSIONS.join(', ')}`);
  }
  return version;
});

/** A cluster that a contract runs on. */
export interface BrokerUnderTest {
  readonly version: RocketmqVersion;
  /** Of the name servers, once the cluster is up. */
  readonly namesrv: () => string;
}

/** What brokers of a version have and do. What they lack is a typed error of the client, which the contracts check. */
export interface BrokerFeatures {
  /** Attributes of topics (from 5.0), among them `queue.type` and `message.type`. */
  readonly hasTopicAttributes: boolean;
  /** Ordered groups, retry policies and attributes of groups (from 5.0). */
  readonly hasVersion5GroupSettings: boolean;
  /** From 5.0. */
  readonly hasPop: boolean;
  /** Users and rules of ACL 2.0 (from 5.3). */
  readonly hasUsers: boolean;
  /** Properties that the broker adds to each message of a batch. */
  readonly addedToBatches: readonly string[];
  /** Whether the broker distinguishes a group without an offset from one at 0. */
  readonly tellsMissingOffsets: boolean;
  /** Whether the offset of a time after the last message is the end of the queue, not that message. */
  readonly findsEndByTime: boolean;
}

const FEATURES: Readonly<Record<RocketmqVersion, BrokerFeatures>> = {
  '4.9.7': {
    hasTopicAttributes: false,
    hasVersion5GroupSettings: false,
    hasPop: false,
    hasUsers: false,
    addedToBatches: ['CLUSTER'],
    tellsMissingOffsets: false,
    findsEndByTime: false,
  },
  '5.1.4': {
    hasTopicAttributes: true,
    hasVersion5GroupSettings: true,
    hasPop: true,
    hasUsers: false,
    addedToBatches: ['CLUSTER', 'MSG_REGION', 'TRACE_ON'],
    tellsMissingOffsets: true,
    findsEndByTime: true,
  },
  '5.5.0': {
    hasTopicAttributes: true,
    hasVersion5GroupSettings: true,
    hasPop: true,
    hasUsers: true,
    addedToBatches: [],
    tellsMissingOffsets: true,
    findsEndByTime: true,
  },
};

export function featuresOf(version: RocketmqVersion): BrokerFeatures {
  return FEATURES[version];
}
