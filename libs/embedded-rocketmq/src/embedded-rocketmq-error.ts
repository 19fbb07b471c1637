export const EMBEDDED_ROCKETMQ_ERROR_CODES = [
  'JAVA_MISSING',
  'JAVA_TOO_OLD',
  'MAVEN_MISSING',
  'JARS_NOT_FETCHED',
  'OPTION_INVALID',
  'PORT_TAKEN',
  'JVM_DIED',
  'NOT_UP_IN_TIME',
  'NOT_ENDED_IN_TIME',
  'CLUSTER_RUNNING',
  'CLUSTER_NOT_RUNNING',
  'COMMAND_FAILED',
  'INTERRUPTED',
] as const;

export type EmbeddedRocketmqErrorCode = (typeof EMBEDDED_ROCKETMQ_ERROR_CODES)[number];

/** Why an embedded cluster could not be started, stopped or asked. `retriable`: the same call may succeed later as it is. */
export class EmbeddedRocketmqError extends Error {
  override readonly name = 'EmbeddedRocketmqError';
  readonly code: EmbeddedRocketmqErrorCode;
  readonly retriable: boolean;

  constructor(code: EmbeddedRocketmqErrorCode, message: string, options: { retriable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = options.retriable ?? false;
  }
}
