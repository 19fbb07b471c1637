/** What a task did since it started. The loops write them, anybody may read them at any time. */
export interface TaskCounters {
  /** Source: returned by `poll`. */
  recordsPolled: number;
  /** Source: answers of `poll` that were not empty. */
  batchesPolled: number;
  /** Source: acknowledged by brokers. */
  recordsSent: number;
  bytesSent: number;
  batchesSent: number;
  sendRetries: number;
  unknownOutcomes: number;
  positionWrites: number;
  /** Records and bytes that wait now: of a source for an acknowledgement, of a sink read ahead of need, in whole answers. */
  bufferedRecords: number;
  bufferedBytes: number;
  /** Sink: read from queues, with barriers and duplicates. */
  recordsRead: number;
  /** Sink: of them, those that `sluice dlq redrive` had put back. */
  recordsRedriven: number;
  /** Sink: bodies, decompressed, and properties of what was read, ahead of need. */
  bytesRead: number;
  /** Sink: answers to reads that were not empty. */
  batchesRead: number;
  /** Sink: taken by `put`. */
  recordsPut: number;
  /** Sink: calls of `put` that succeeded. */
  batchesPut: number;
  putRetries: number;
  flushes: number;
  offsetCommits: number;
  /** Sink: resets of the group's offsets by an operator that were followed. */
  offsetResets: number;
  /** Sink: duplicates that were dropped. */
  droppedOlderGeneration: number;
  droppedRepeatedSeq: number;
  /** Sink: records that retention removed before they were read. */
  recordsLost: number;
  conversionErrors: number;
  /** Sink: calls of `put` that failed, each try. */
  recordFailures: number;
  /** Records that failed for good: they ended the task, or were left out. */
  recordErrors: number;
  /** Of them, those that the log reports. */
  errorsLogged: number;
  /** Acknowledged by brokers. */
  deadLettersWritten: number;
  /** Tries to write a dead letter that failed; each is made again. */
  deadLetterFailures: number;
  /** Left out under `errors.tolerance=all`. */
  recordsSkipped: number;
  /** Sink: those of them that the task has refused. */
  recordsRefused: number;
  /** Dropped by the connector's transforms. */
  recordsFiltered: number;
  /** Source: queues whose tail could not be examined in full after an unclean stop. */
  incompleteScans: number;
}

export function newTaskCounters(): TaskCounters {
  return {
    recordsPolled: 0,
    batchesPolled: 0,
    recordsSent: 0,
    bytesSent: 0,
    batchesSent: 0,
    sendRetries: 0,
    unknownOutcomes: 0,
    positionWrites: 0,
    bufferedRecords: 0,
    bufferedBytes: 0,
    recordsRead: 0,
    recordsRedriven: 0,
    bytesRead: 0,
    batchesRead: 0,
    recordsPut: 0,
    batchesPut: 0,
    putRetries: 0,
    flushes: 0,
    offsetCommits: 0,
    offsetResets: 0,
    droppedOlderGeneration: 0,
    droppedRepeatedSeq: 0,
    recordsLost: 0,
    conversionErrors: 0,
    recordFailures: 0,
    recordErrors: 0,
    errorsLogged: 0,
    deadLettersWritten: 0,
    deadLetterFailures: 0,
    recordsRefused: 0,
    recordsSkipped: 0,
    recordsFiltered: 0,
    incompleteScans: 0,
  };
}
