import type { RocketMqClient } from '@sluice/rocketmq';
import { findLetter } from '../dead-letters/find-letter.js';
import { listAsJson, listAsTable, printedJson, shownAsText, shownLetter } from '../dead-letters/letter-text.js';
import { listLetters } from '../dead-letters/list-letters.js';
import { redrive } from '../dead-letters/redrive.js';
import { readCommandSettings, withClient } from './command-settings.js';
import { type DlqTarget, listArguments, redriveArguments, showArguments } from './dlq-options.js';
import { UsageError } from './parse-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

const COMMANDS: Readonly<Record<string, (args: readonly string[], environment: Environment, signal: AbortSignal) => Promise<number>>> = {
  list: async (args, environment, signal) => {
    const { filter, limit, isAll, ...target } = listArguments(args);
    const { topic, output } = target;
    const list = await onTopic(target, environment, (client) => listLetters(client, { topic, filter, limit, isAll }, signal));
    print(output, () => listAsTable(topic, list, { filter, isAll }), listAsJson(topic, list));
    return 0;
  },
  show: async (args, environment, signal) => {
    const { queue, offset, body, ...target } = showArguments(args);
    const { topic, output } = target;
    const shown = await onTopic(target, environment, async (client) => {
      const { letter, isRedriven } = await findLetter(client, topic, { queue, offset }, signal);
      return shownLetter(letter, isRedriven, body);
    });
    print(output, () => shownAsText(topic, shown), { topic, ...shown });
    return 0;
  },
  redrive: async (args, environment, signal) => {
    const { rules, filter, limit, ratePerSecond, isDryRun, ...target } = redriveArguments(args);
    const options = { rules, filter, limit, ratePerSecond, isDryRun };
    const report = await onTopic(target, environment, (client) => redrive(client, options, signal));
    print(target.output, () => report.asText(), report.asJson());
    return report.exitCode;
  },
};

/**
 * `sluice dlq`: lists, shows and redrives dead letters. SIGINT and SIGTERM end it; a redrive stores its progress first.
 *
 * @returns the exit code @throws UsageError, and what the settings and RocketMQ throw
 */
export async function dlqCommand([name = '', ...args]: readonly string[], environment: Environment): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new UsageError(
      `${name === '' ? 'The name of a command is missing' : `There is no command "dlq ${name}"`}; there are list, show and redrive`,
    );
  }
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new Error('stopped by a signal'));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await command(args, environment, stopping.signal);
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

/** Does something with a client of the cluster that has the topic. */
async function onTopic<T>(
  { config, side }: DlqTarget,
  environment: Environment,
  action: (client: RocketMqClient) => Promise<T>,
): Promise<T> {
  const { sinkCluster, sourceCluster } = readCommandSettings(config, environment);
  if (side === undefined && sinkCluster.namesrv !== sourceCluster.namesrv) {
    throw new UsageError(
      `Sinks and sources have their topics in different clusters, ${sinkCluster.namesrv} and ${sourceCluster.namesrv}: ` +
        'give --side sink or --side source, for whose dead letters the topic holds',
    );
  }
  return withClient(side === 'source' ? sourceCluster : sinkCluster, action);
}

function print(output: DlqTarget['output'], asText: () => string, asJson: object): void {
  console.log(output === 'json' ? printedJson(asJson) : asText());
}
