/** Between the id that a log was made with and what its restores add. */
const SEPARATOR = '.';

/** Id of the log that a restore makes: it shows from which log it comes, and that it is not that one. */
export function restoredLogId(logId: string, unique: string): string {
  return `${originOf(logId)}${SEPARATOR}${unique}`;
}

/** Whether both are one log, or restored from one. */
export function isOfOneOrigin(left: string, right: string): boolean {
  return originOf(left) === originOf(right);
}

function originOf(logId: string): string {
  return logId.split(SEPARATOR, 1)[0] ?? logId;
}
