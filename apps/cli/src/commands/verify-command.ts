import { RocketMqClient } from '@sluice/rocketmq';
import { printedJson, severalLines } from '../dead-letters/letter-text.js';
import { verify, type VerifyProgress } from '../replication/verify.js';
import { EXIT_CODES } from '../replication/verify-report.js';
import { UsageError } from './parse-options.js';
import { verifyArguments } from './verify-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Words that it cannot use, and an end before everything was compared: neither may look like a difference. */
const [USAGE_EXIT, ENDED_EARLY_EXIT] = [2, 4];

/**
 * `sluice verify`: compares the topics of two clusters. SIGINT and SIGTERM end it; the state file has what is known by then.
 *
 * @returns the exit code: 0 equal, 1 different, 2 wrong words, 3 not proven equal, 4 ended early
 */
export async function verifyCommand(args: readonly string[], environment: Environment): Promise<number> {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new Error('stopped by a signal'));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const progress = new ProgressLine();
  try {
    const { from, to, isJson, options } = verifyArguments(args, environment, (text) => {
      console.error(`sluice verify: ${text}`);
    });
    const clients = { from: RocketMqClient.open(from.client), to: RocketMqClient.open(to.client) };
    try {
      const onProgress = (now: VerifyProgress): void => {
        progress.show(now);
      };
      const report = await verify(clients, { ...options, from: from.url, to: to.url, onProgress }, stopping.signal);
      progress.clear();
      console.log(isJson ? printedJson(report.asJson()) : report.asText());
      return EXIT_CODES[report.verdict];
    } finally {
      await Promise.all([clients.from.close(), clients.to.close()]);
    }
  } catch (error) {
    progress.clear();
    const reason = stopping.signal.aborted ? 'stopped by a signal before everything was compared; --state keeps how far it was' : error;
    console.error(`sluice verify: ${severalLines(reason instanceof Error ? reason.message : String(reason))}`);
    return error instanceof UsageError ? USAGE_EXIT : ENDED_EARLY_EXIT;
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

/** Shows on a terminal how far it is; elsewhere nothing. */
class ProgressLine {
  #isShown = false;

  show({ messages, pairs, pairsDone }: VerifyProgress): void {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\u001b[K${messages} messages, ${pairsDone} of ${pairs} queues`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
    this.#isShown = false;
  }
}
