import { type ConnectRecord, targetTopicProblem } from '@sluice/sdk';
import { sinkRecord } from './sink-place.js';
import { unfit } from './transform-error.js';

/**
 * Returns the record with another topic. What a sink's record is called has no limits: nothing is written to such a topic.
 *
 * @throws ConnectError naming both topics, where a source's record would go to a topic that RocketMQ cannot have
 */
export function routed(record: ConnectRecord, topic: string): ConnectRecord {
  if (topic === record.topic) return record;
  const problem = sinkRecord(record) === undefined ? targetTopicProblem(topic) : undefined;
  if (problem !== undefined) throw unfit(`the record of topic ${record.topic} cannot go to ${JSON.stringify(topic)}: ${problem}`);
  return { ...record, topic };
}
