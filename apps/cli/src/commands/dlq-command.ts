import { readableQueues, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import { queueName, readLetter, type Letter } from '../dead-letters/letter.js';
import { listAsJson, listAsTable, shownAsText, shownLetter } from '../dead-letters/letter-text.js';
import { listLetters } from '../dead-letters/list-letters.js';
import { LOOK_GROUP, readRanges } from '../dead-letters/read-letters.js';
import { redrive } from '../dead-letters/redrive.js';
import { RedriveProgress } from '../dead-letters/redrive-progress.js';
import { readCommandSettings, withClient } from './command-settings.js';
import { type DlqTarget, listArguments, redriveArguments, showArguments, type ShowArguments } from './dlq-options.js';
import { UsageError } from './parse-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

const COMMANDS: Readonly<Record<string, (args: readonly string[], environment: Environment, signal: AbortSignal) => Promise<number>>> = {
  list: async (args, environment, signal) => {
    const { filter, limit, isAll, ...target } = listArguments(args);
    const { topic, output } = target;
    const list = await onTopic(target, environment, (client) => listLetters(client, { topic, filter, limit, isAll }, signal));
    print(output, () => listAsTable(topic, list), listAsJson(topic, list));
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

async function findLetter(
  client: RocketMqClient,
  topic: string,
  { queue, offset }: Pick<ShowArguments, 'queue' | 'offset'>,
  signal: AbortSignal,
): Promise<{ readonly letter: Letter; readonly isRedriven: boolean }> {
  const queues = readableQueues(await client.routes.refresh(topic));
  const found = chosenQueue(topic, queues, queue);
  const [from, to] = await Promise.all([client.admin.minOffset(found), client.admin.maxOffset(found)]);
  if (offset < from || offset >= to) {
    throw new Error(
      `Queue ${queueName(found)} of topic ${topic} holds no message at offset ${offset}; it holds offsets ${from} to ${to - 1}`,
    );
  }
  const range = { queue: found, from: offset, to: offset + 1 };
  for await (const each of readRanges(client, [range], { group: LOOK_GROUP, signal })) {
    if (each.kind === 'unreadable') throw new Error(each.reason);
    const letter = each.kind === 'message' ? readLetter(found, each.message) : undefined;
    if (letter === undefined) continue;
    const { works } = await RedriveProgress.open(client, topic, false, signal);
    const work = works.find(({ range: { queue: of } }) => of.brokerName === found.brokerName && of.queueId === found.queueId);
    const isRedriven = work !== undefined && (offset < work.range.from || work.progress.isDone(offset, letter.storedAt));
    return { letter, isRedriven };
  }
  throw new Error(`There is no record at offset ${offset} of ${queueName(found)}`);
}

function chosenQueue(topic: string, queues: readonly QueueRef[], { brokerName, queueId }: ShowArguments['queue']): QueueRef {
  const matching = queues.filter((each) => each.queueId === queueId && (brokerName === undefined || each.brokerName === brokerName));
  const [first] = matching;
  if (first !== undefined && matching.length === 1) return first;
  const all = queues.map(queueName).join(', ');
  const what = first === undefined ? 'none of its queues' : 'more than one of its queues';
  throw new UsageError(`--queue names ${what}: topic ${topic} has ${all}`);
}

function print(output: DlqTarget['output'], asText: () => string, asJson: object): void {
  console.log(output === 'json' ? JSON.stringify(asJson, undefined, 2) : asText());
}
