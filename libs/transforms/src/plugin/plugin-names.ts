/** The version of the built-in transforms and predicates. */
export const VERSION = '0.1.0';

/** The package that holds the transforms of Kafka Connect. */
export const KAFKA = 'org.apache.kafka.connect.transforms';

/** The package that holds the transforms of Apache RocketMQ Connect. */
export const ROCKETMQ = 'org.apache.rocketmq.connect.transforms';
