import { type MetricSpec, RUNNERS, SINK, SOURCE } from './metric-spec.js';

const OF_TASK = ['connector', 'task'] as const;

/** The metrics of runners beside those of every role, by name. */
export const runnerMetricSpecs = {
  sluice_lease_remaining_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Seconds for which this runner may still run its tasks without another contact to the log; below 0 they are paused.',
    roles: RUNNERS,
  },
  sluice_runner_tasks: {
    type: 'gauge',
    labels: ['connector', 'state'],
    help: 'Tasks on this runner by state (RUNNING, PAUSED, FAILED, RESTARTING, STOPPING; NO_LEASE for what would run but pauses, for the lease has ended).',
    roles: RUNNERS,
  },
  sluice_runner_completed_tasks: {
    type: 'gauge',
    labels: ['connector'],
    help:
      'Source tasks on this runner that have no more data for good, all of it committed: those that the leader has not ended yet, and those ' +
      'that an instance of their connector runs beside. sluice_tasks counts what has COMPLETED.',
    roles: SOURCE,
  },
  sluice_task_failures_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Failures of tasks on this runner.',
    roles: RUNNERS,
  },
  sluice_task_restarts_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Starts of tasks on this runner after a failure.',
    roles: RUNNERS,
  },
  sluice_connector_records_in_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that came in on this runner: returned by a source, or read from the queues of a sink, duplicates included.',
    roles: RUNNERS,
  },
  sluice_connector_records_out_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that went out of this runner: acknowledged by brokers, or taken by the sink.',
    roles: RUNNERS,
  },
  sluice_connector_bytes_in_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Bytes of bodies, decompressed, and properties read from the queues of a sink on this runner.',
    roles: SINK,
  },
  sluice_connector_bytes_out_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Bytes of bodies and properties of a source that brokers acknowledged to this runner.',
    roles: SOURCE,
  },
  sluice_connector_records_dropped_total: {
    type: 'counter',
    labels: ['connector', 'reason'],
    help:
      'Records that this runner left out, by reason. skipped: they failed in a transform or a converter, or were too large, and errors.tolerance is all; ' +
      'where there is a dead letter topic, they are in it. ' +
      'filtered: a transform dropped them. ' +
      'Only on sinks: refused ones the task or its put refused; older_generation and repeated_seq are copies; ' +
      'retention had removed lost ones before they were read.',
    roles: RUNNERS,
  },
  sluice_connector_conversion_errors_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that could not be converted on this runner, or were too large for a message.',
    roles: RUNNERS,
  },
  sluice_connector_record_errors_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that failed for good on this runner, at whatever stage: they ended their task, or were left out.',
    roles: RUNNERS,
  },
  sluice_connector_record_failures_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Failures on this runner to process records, each try: those of sluice_connector_record_errors_total, and puts of a sink that failed.',
    roles: RUNNERS,
  },
  sluice_connector_errors_logged_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records left out on this runner that its log reports, by name or in a number.',
    roles: RUNNERS,
  },
  sluice_connector_dead_letters_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Dead letters of this runner that brokers acknowledged.',
    roles: RUNNERS,
  },
  sluice_connector_dead_letter_failures_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Failed tries of this runner to write a dead letter; each is made again, and offsets or positions wait.',
    roles: RUNNERS,
  },
  sluice_connector_retries_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Repeated attempts on this runner: to send a batch of a source, or to put records into a sink.',
    roles: RUNNERS,
  },
  sluice_connector_batches_in_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Batches that came in on this runner: answers of poll that were not empty, or of brokers to reads of a sink.',
    roles: RUNNERS,
  },
  sluice_connector_batches_out_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Batches that went out of this runner: of a source acknowledged by brokers, or taken by the sink in one put.',
    roles: RUNNERS,
  },
  sluice_connector_unknown_outcomes_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Batches of a source of which this runner did not learn whether they were stored.',
    roles: SOURCE,
  },
  sluice_connector_incomplete_scans_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Queues whose tail could not be examined in full after an unclean stop: there may be duplicates.',
    roles: SOURCE,
  },
  sluice_connector_position_writes_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Writes of a source to the positions topic by this runner.',
    roles: SOURCE,
  },
  sluice_connector_buffered_records: {
    type: 'gauge',
    labels: ['connector'],
    help: 'Records that wait on this runner: of a source for the acknowledgement of a broker, of a sink read ahead, in whole answers.',
    roles: RUNNERS,
  },
  sluice_connector_buffered_bytes: {
    type: 'gauge',
    labels: ['connector'],
    help: 'Bytes that wait on this runner: of a source for the acknowledgement of a broker, of a sink read ahead, in whole answers.',
    roles: RUNNERS,
  },
  sluice_connector_flushes_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Flushes of a sink on this runner.',
    roles: SINK,
  },
  sluice_connector_offset_commits_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Commits of offsets to the consumer group of a sink by this runner.',
    roles: SINK,
  },
  sluice_connector_records_redriven_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that this runner read for a sink and that `sluice dlq redrive` had put back; they are among those that came in.',
    roles: SINK,
  },
  sluice_connector_offset_resets_total: {
    type: 'counter',
    labels: ['connector'],
    help: "Resets of a sink's consumer group by an operator that this runner followed, by queue.",
    roles: SINK,
  },
  sluice_connector_lag_messages: {
    type: 'gauge',
    labels: ['connector'],
    help:
      'Messages that are not committed in the queues that this runner reads for a sink; the sum over all sink runners is the lag of the ' +
      'connector. The ends of queues are asked for every 5 s, not at a scrape.',
    roles: SINK,
  },
  sluice_connector_lag_age_seconds: {
    type: 'gauge',
    labels: ['connector'],
    help: 'Age of the oldest figure in sluice_connector_lag_messages, in seconds: it grows while brokers do not answer.',
    roles: SINK,
  },
  sluice_runner_folded_tasks: {
    type: 'gauge',
    labels: [],
    help: 'Tasks on this runner beyond metrics.tasks.max. The metrics of tasks count them together, under the connector and task /folded.',
    roles: RUNNERS,
  },
  sluice_task_records_in_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Records that came in for a task on this runner, as sluice_connector_records_in_total.',
    roles: RUNNERS,
  },
  sluice_task_records_out_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Records of a task that went out of this runner, as sluice_connector_records_out_total.',
    roles: RUNNERS,
  },
  sluice_task_bytes_in_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Bytes of bodies, decompressed, and properties read from the queues of a sink task.',
    roles: SINK,
  },
  sluice_task_bytes_out_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Bytes of bodies and properties of a source task that brokers acknowledged.',
    roles: SOURCE,
  },
  sluice_task_batches_in_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Batches that came in for a task, as sluice_connector_batches_in_total.',
    roles: RUNNERS,
  },
  sluice_task_batches_out_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Batches of a task that went out, as sluice_connector_batches_out_total.',
    roles: RUNNERS,
  },
  sluice_task_retries_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Repeated attempts of a task: to send a batch of a source, or to put records into a sink.',
    roles: RUNNERS,
  },
  sluice_task_errors_total: {
    type: 'counter',
    labels: [...OF_TASK, 'stage'],
    help:
      'Records of a task that failed for good, by stage. Of sources: TASK_POLL, TRANSFORMATION, KEY_CONVERTER, VALUE_CONVERTER, HEADER_CONVERTER, ' +
      'ROCKETMQ_PRODUCE; of sinks ROCKETMQ_CONSUME and TASK_PUT instead of the first and the last.',
    roles: RUNNERS,
  },
  sluice_task_dead_letters_total: {
    type: 'counter',
    labels: OF_TASK,
    help: 'Dead letters of a task that brokers acknowledged.',
    roles: RUNNERS,
  },
  sluice_task_operation_duration_seconds: {
    type: 'histogram',
    labels: [...OF_TASK, 'operation'],
    help:
      'Seconds that operations of a task took, each try, one per batch. Of sources: poll; convert, with transforms and the making of batches; send; ' +
      'commit, which stores positions. Of sinks: convert, with transforms; put; flush; commit, which sends offsets to one broker.',
    roles: RUNNERS,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  },
  sluice_task_buffered_records: {
    type: 'gauge',
    labels: OF_TASK,
    help: 'Records that wait in a task, as sluice_connector_buffered_records.',
    roles: RUNNERS,
  },
  sluice_task_buffer_fill_ratio: {
    type: 'gauge',
    labels: OF_TASK,
    help: 'Part of its buffer that a task uses, by records or bytes, whichever is more: about 1 where what comes after it is slower than what comes before.',
    roles: RUNNERS,
  },
  sluice_task_commit_age_seconds: {
    type: 'gauge',
    labels: OF_TASK,
    help:
      'Seconds since a task last stored positions or committed offsets, or since this runner got it. It grows too while there is nothing to commit. ' +
      'Absent while the task is paused, stops, or has no more data for good.',
    roles: RUNNERS,
  },
  sluice_task_open_call_seconds: {
    type: 'gauge',
    labels: [...OF_TASK, 'call'],
    help:
      'Seconds since the call of a task began that has not returned, by call: start, poll, commit, commitRecord, open, put, tick, flush, close, stop, ' +
      'instance start and instance stop. Of several the one that works, else the oldest. Absent where none is open.',
    roles: RUNNERS,
  },
  sluice_task_lag_messages: {
    type: 'gauge',
    labels: OF_TASK,
    help: 'Messages that are not committed in the queues of a sink task, as sluice_connector_lag_messages.',
    roles: SINK,
  },
  sluice_trace_spans_total: {
    type: 'counter',
    labels: ['outcome'],
    help:
      'Spans of traced records on this runner, by outcome: exported; dropped for a queue that was full (queue_full), an export that failed ' +
      '(export_failed), or a main thread that was too slow for its task threads (thread_behind).',
    roles: RUNNERS,
  },
  sluice_trace_records_limited_total: {
    type: 'counter',
    labels: [],
    help: 'Records that this runner was to trace and did not, for it traces a limited number in a second and at a time.',
    roles: RUNNERS,
  },
  sluice_trace_contexts_invalid_total: {
    type: 'counter',
    labels: [],
    help: 'Values of traceparent on records of this runner that are not valid: those records are treated as ones without a context.',
    roles: RUNNERS,
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;
