/** RocketMQ's TopicValidator: what a name may hold, how long it may be, and where brokers accept no messages of clients. */
const ALLOWED_CHARACTERS = /^[%|a-zA-Z0-9_-]+$/;
const MAX_LENGTH = 127;
const BROKERS_OWN = new Set([
  'SCHEDULE_TOPIC_XXXX',
  'RMQ_SYS_TRANS_HALF_TOPIC',
  'RMQ_SYS_TRANS_OP_HALF_TOPIC',
  'TRANS_CHECK_MAX_TIME_TOPIC',
  'SELF_TEST_TOPIC',
  'OFFSET_MOVED_EVENT',
]);
const CONTROL_TOPIC = /^sluice-.+-(log|commands|reports|positions|rpc)$/;

/** Explains why RocketMQ cannot have a topic of this name, and what is allowed; `undefined` if it can. */
export function topicNameProblem(name: string): string | undefined {
  const allowed = `a topic's name has 1 to ${MAX_LENGTH} of the characters a-z, A-Z, 0-9, _, -, % and |`;
  if (name.length > MAX_LENGTH) return `Topic ${name} has ${name.length} characters; ${allowed}`;
  return ALLOWED_CHARACTERS.test(name) ? undefined : `Topic ${JSON.stringify(name)} cannot exist; ${allowed}`;
}

/** Explains why a source must not write to a topic of this name; `undefined` if it may. */
export function targetTopicProblem(name: string): string | undefined {
  const problem = topicNameProblem(name);
  if (problem !== undefined) return problem;
  if (BROKERS_OWN.has(name) || name.toLowerCase().startsWith('rmq_sys_')) {
    return `Topic ${name} belongs to RocketMQ itself; allowed is a topic of your own`;
  }
  return CONTROL_TOPIC.test(name) ? `Topic ${name} is a control topic of Sluice; allowed is any other topic` : undefined;
}
