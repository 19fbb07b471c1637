import { relative } from 'node:path';
import { javaStarts } from './java-starts.mjs';
import { root } from './setup.mjs';

/** Files that take less share one row. */
const ROW_FROM_SECONDS = 10;

/** Rows of project, file, seconds and started JVMs, the slowest first; then one of all that are quick, and one of everything. */
function timeTable(testResults, starts) {
  const rows = testResults.map(({ testFilePath, displayName, perfStats }) => {
    const file = relative(root, testFilePath);
    return {
      name: `${displayName?.name ?? ''} ${file}`,
      seconds: perfStats.runtime / 1000,
      jvms: starts.get(file) ?? 0,
    };
  });
  const sum = (name, some) => ({
    name: `${some.length} ${name}`,
    seconds: some.reduce((total, { seconds }) => total + seconds, 0),
    jvms: some.reduce((total, { jvms }) => total + jvms, 0),
  });
  const slow = rows.filter(({ seconds }) => seconds >= ROW_FROM_SECONDS).sort((a, b) => b.seconds - a.seconds);
  const quick = rows.filter(({ seconds }) => seconds < ROW_FROM_SECONDS);
  const all = sum('files', rows);
  all.jvms = [...starts.values()].reduce((total, count) => total + count, 0);
  return [...slow, ...(quick.length > 0 ? [sum('quicker files', quick)] : []), all];
}

/** Ends a run with the time and the JVMs of each spec file, and with one line that any tool can read. */
export default class SummaryReporter {
  onRunComplete(_contexts, { testResults, numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites }) {
    const starts = javaStarts();
    if (testResults.length > 1) {
      console.log('\nseconds  JVMs  spec file');
      for (const { name, seconds, jvms } of timeTable(testResults, starts)) {
        console.log(`${seconds.toFixed(1).padStart(7)}  ${String(jvms).padStart(4)}  ${name}`);
      }
    }
    // A suite that could not even be loaded has no tests to count.
    const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0);
    console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped`);
  }
}
