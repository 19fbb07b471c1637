import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readReport, reportSuffix } from './report-file.js';
import { type ExpectedRecords, judge, type Verdict } from './verdict.js';

/**
 * The verdict over all reports in a folder, as they were at the last flush of each queue. The sink may run meanwhile.
 * @throws {ConnectError} if a report is damaged; an error of the system if the folder cannot be read
 */
export async function mergeReports(folder: string, expected?: ExpectedRecords): Promise<Verdict> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(reportSuffix)).sort();
  const reports = await Promise.all(names.map((name) => readReport(join(folder, name))));
  const found = reports.filter((report) => report !== undefined);
  return judge(
    found.map(({ position, findings }) => ({ queue: position.queue, findings })),
    expected,
  );
}
