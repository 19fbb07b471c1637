import type { ConfigSpec } from '@sluice/sdk';

/** What becomes of calls and records that fail. */
export const errorSettingsSpec = {
  'errors.tolerance': {
    type: 'string',
    importance: 'medium',
    default: 'none',
    oneOf: ['none', 'all'],
    doc:
      'What happens to a record that cannot be transformed or converted, is too large, or that a sink refuses: the task fails (none), or it leaves the ' +
      'record out (all), as a dead letter where errors.deadletterqueue.topic.name is set. `skipped_records` of the task status counts them since the ' +
      'start of the task, up to a minute late.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Error tolerance',
  },
  'errors.retry.timeout': {
    type: 'long',
    importance: 'medium',
    default: -1,
    min: -1,
    doc: 'How long a failed operation that may succeed later is retried, in milliseconds; -1 without end, 0 not at all.',
    group: 'Error Handling',
    width: 'medium',
    displayName: 'Retry timeout for errors',
  },
  'errors.retry.delay.max.ms': {
    type: 'long',
    importance: 'medium',
    default: 60_000,
    min: 1,
    max: 86_400_000,
    doc: 'The longest delay between two tries of the same operation, in milliseconds.',
    group: 'Error Handling',
    width: 'medium',
    displayName: 'Maximum delay between retries for errors',
  },
  'errors.log.enable': {
    type: 'boolean',
    importance: 'medium',
    default: true,
    doc:
      'Whether the log names records that are left out: their place and why, one a second and how many there were. In Kafka Connect the default is ' +
      'false: there a record may go without a word.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Log errors',
    dependents: ['errors.log.include.messages'],
  },
  'errors.log.include.messages': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc:
      'Whether that log shows what is in such a record, up to 1,000 characters: of a source key, value and headers, of a sink the time, the size and ' +
      'the properties of the message, among them key and headers.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Log error details',
  },
  'errors.deadletterqueue.topic.name': {
    type: 'string',
    importance: 'medium',
    default: '',
    topic: 'write',
    doc:
      'The topic that gets the records which errors.tolerance=all leaves out, of sinks and sources; none where it is empty. The offset or position ' +
      'advances once a broker has the dead letter. A missing topic is created where the runner may create topics.',
    example: 'orders-dead',
    group: 'Error Handling',
    width: 'medium',
    displayName: 'Dead letter topic',
    dependents: ['errors.deadletterqueue.context.headers.enable'],
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    aliases: ['errors.deadletterqueue.context.properties.enable'],
    doc: 'Whether a dead letter says where and why its record failed, in properties that begin with `__connect.errors.`.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Context in dead letters',
  },
} as const satisfies ConfigSpec;

/** When a task that failed starts again. */
export const restartSettingsSpec = {
  'restart.max.attempts': {
    type: 'int',
    importance: 'medium',
    default: 10,
    min: -1,
    max: 1_000_000,
    doc:
      'How many times in a row a task that failed restarts before it stays FAILED; 0 never, -1 without end. The count starts ' +
      'over once a task ran for restart.backoff.max.ms. Errors that no retry can fix, such as wrong settings, are final at once.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Restart attempts',
  },
  'restart.backoff.initial.ms': {
    type: 'int',
    importance: 'low',
    default: 1000,
    min: 1,
    max: 3_600_000,
    doc: 'The delay before the first restart of a failed task, in milliseconds; it doubles with each further one, and a random part of up to half is taken off.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Initial delay of restarts',
  },
  'restart.backoff.max.ms': {
    type: 'int',
    importance: 'low',
    default: 300_000,
    min: 1,
    max: 86_400_000,
    doc: 'The longest delay before a restart of a failed task, in milliseconds. After a run of at least this time the task has all its restarts again.',
    group: 'Error Handling',
    width: 'short',
    displayName: 'Maximum delay of restarts',
  },
} as const satisfies ConfigSpec;
