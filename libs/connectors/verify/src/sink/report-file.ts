import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectError, ConnectErrorCode, type QueueRef, type SinkPosition } from '@sluice/sdk';
import { readTextIfPresent, writeFileDurably } from '@sluice/sdk/files';
import type { FindingsState } from './queue-findings.js';
import { type ExpectedRecords, judge, type Verdict } from './verdict.js';

/** What a report file keeps: the findings in all records of a queue before the position, and the position. */
export interface QueueReport {
  readonly connector: string;
  readonly position: SinkPosition;
  readonly findings: FindingsState;
}

const FORMAT_VERSION = 2;

/** How the names of report files end. */
const REPORT_SUFFIX = '.verify.json';

/** Returns the path of a queue's report: `<topic>@<broker>@<queue id>.verify.json`, with the names as in a URL. */
export function reportPath(folder: string, { topic, brokerName, queueId }: QueueRef): string {
  const name = [topic, brokerName, String(queueId)].map(encodeURIComponent).join('@');
  return join(folder, `${name}${REPORT_SUFFIX}`);
}

/**
 * Reads a report; `undefined` if there is none.
 * @throws {ConnectError} if it is damaged
 */
export async function readReport(path: string): Promise<QueueReport | undefined> {
  const text = await readTextIfPresent(path);
  if (text === undefined) return undefined;
  const report = parse(text);
  if (report !== undefined) return report;
  throw new ConnectError(
    ConnectErrorCode.stateInvalid,
    `Report ${path} is damaged: nobody knows what was verified. Remove all reports of the connector and read its topics from the start.`,
  );
}

/** Replaces a report, durably. The verdict in it is for readers; it follows from the rest. */
export async function writeReport(path: string, report: QueueReport): Promise<void> {
  const { position, findings } = report;
  const verdict = judge([{ queue: position.queue, findings }]);
  const content = { version: FORMAT_VERSION, verdict, report, checksum: checksumOf(report) };
  await writeFileDurably(path, `${JSON.stringify(content)}\n`);
}

/**
 * Judges all reports in a folder as one, as they were at the last flush of each queue. The sink may run meanwhile.
 * @throws {ConnectError} if a report is damaged; an error of the system if the folder cannot be read
 */
export async function mergeReports(folder: string, expected?: ExpectedRecords): Promise<Verdict> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(REPORT_SUFFIX)).sort();
  const reports = await Promise.all(names.map((name) => readReport(join(folder, name))));
  const found = reports.filter((report) => report !== undefined);
  return judge(
    found.map(({ position, findings }) => ({ queue: position.queue, findings })),
    expected,
  );
}

function parse(text: string): QueueReport | undefined {
  try {
    const { version, report, checksum } = JSON.parse(text) as {
      readonly version?: number;
      readonly report: QueueReport;
      readonly checksum?: string;
    };
    return version === FORMAT_VERSION && checksum === checksumOf(report) ? report : undefined;
  } catch {
    return undefined;
  }
}

function checksumOf(report: QueueReport): string {
  return createHash('sha256').update(JSON.stringify(report)).digest('hex').slice(0, 16);
}
