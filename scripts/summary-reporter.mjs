/** Ends a run with one line that any tool can read. */
export default class SummaryReporter {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites }) {
    // A suite that could not even be loaded has no tests to count.
    const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0);
    console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped`);
  }
}
