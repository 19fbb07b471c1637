import { ConnectError } from '@sluice/sdk';

/** Adds to the error of a bad record, which ends the task, how to skip such records. */
export function withSkipRemedy(problem: ConnectError): ConnectError {
  const { code, retriable } = problem;
  const text = problem.message.replace(/\.$/, '');
  return new ConnectError(code, `${text}. With errors.tolerance=all the task skips such records and counts them.`, {
    retriable,
    cause: problem,
  });
}
