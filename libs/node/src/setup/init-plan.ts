import type { ClusterTopics, TopicDefinition } from '@sluice/protocol';
import type { ClusterSurvey } from './cluster-survey.js';
import { NodeError, restoreCommand } from '../errors/node-error.js';

/** What `sluice init` may do: look whether the cluster is there, create a new one, or create what an existing one lacks. */
export type InitPurpose = 'check' | 'create' | 'add-missing';

export interface InitRequest {
  readonly clusterId: string;
  readonly purpose: InitPurpose;
  /** The broker that gets the topics of a new cluster. */
  readonly brokerName: string | undefined;
  /** Brokers that have registered with their master. */
  readonly registered: readonly string[];
  /** The group of the cluster's readers where a broker knows it. Every broker has it, so it shows that topics exist on one that is unavailable. */
  readonly readerGroup: string | undefined;
  /** Directory of a node that has worked with a log of this cluster. */
  readonly knownIn: string | undefined;
}

export interface InitPlan {
  readonly brokerName: string;
  readonly missing: readonly string[];
  /** Whether the log gets its first entry. */
  readonly beginsLog: boolean;
}

/** Thrown when the cluster is not there, or cannot be set up as asked. */
export class InitError extends NodeError {
  constructor(message: string) {
    super('INIT_REFUSED', message);
  }
}

/**
 * Decides what `sluice init` creates: never a log beside anything that is left of an earlier one.
 *
 * @throws InitError that says what to do.
 */
export function planInit(survey: ClusterSurvey, topics: ClusterTopics, request: InitRequest): InitPlan {
  const { clusterId, purpose, brokerName: wanted } = request;
  const names = (Object.values(topics) as TopicDefinition[]).map(({ name }) => name);
  const missing = names.filter((name) => !survey.has(name));
  const isBegun = survey.get(topics.log.name)?.isEmpty === false;
  const brokers = [...new Set([...survey.values()].flatMap((topic) => topic.brokers))];
  const [brokerName, ...others] = brokers;
  if (brokerName === undefined) return { brokerName: brokerOfNew(request), missing, beginsLog: true };
  if (others.length > 0) {
    throw new InitError(
      `The topics of Connect cluster ${clusterId} are on several brokers (${brokers.join(', ')}): they must all be on the one that holds ` +
        'the log. Delete the others with `mqadmin deleteTopic`',
    );
  }
  if (wanted !== undefined && wanted !== brokerName) {
    throw new InitError(`Connect cluster ${clusterId} is on broker ${brokerName}; --broker ${wanted} cannot move it`);
  }
  if (!isBegun) return { brokerName: unfinished(survey, topics, request, brokerName), missing, beginsLog: true };
  if (missing.length > 0 && purpose !== 'add-missing') {
    throw new InitError(
      `Connect cluster ${clusterId} is there, on broker ${brokerName}, without ${missing.join(', ')}. To create what is missing, empty, stop all ` +
        `nodes and run \`sluice init --add-missing --cluster ${clusterId}\``,
    );
  }
  return { brokerName, missing, beginsLog: false };
}

function brokerOfNew({ clusterId, purpose, brokerName, registered, readerGroup, knownIn }: InitRequest): string {
  if (purpose !== 'create') {
    throw new InitError(
      `Nothing of Connect cluster ${clusterId} exists on the brokers that are registered. If it has run before, start the broker that holds its ` +
        `topics and try again; if they were wiped, run \`sluice restore\`. For a new one: \`sluice init --new --cluster ${clusterId} --broker NAME\``,
    );
  }
  if (knownIn !== undefined) {
    throw new InitError(
      `Connect cluster ${clusterId} is not new: the node in ${knownIn} has worked with its log. Start the broker that holds it; if the topics were ` +
        `wiped, run \`${restoreCommand(clusterId, knownIn)}\`. To start over, remove the directories of all nodes first`,
    );
  }
  if (readerGroup !== undefined) {
    throw new InitError(
      `Connect cluster ${clusterId} is not new: group ${readerGroup} of its readers exists. Start the broker that holds its topics; if they were ` +
        'wiped, run `sluice restore`. To start over, stop all nodes and delete the group with `mqadmin deleteSubGroup` first',
    );
  }
  if (brokerName !== undefined) return brokerName;
  throw new InitError(
    `--broker is missing: name the broker that gets the topics of the new Connect cluster; there are: ${registered.join(', ')}`,
  );
}

/** The broker of a set-up that was broken off; nothing else may look like it. */
function unfinished(
  survey: ClusterSurvey,
  topics: ClusterTopics,
  { clusterId, purpose, knownIn }: InitRequest,
  brokerName: string,
): string {
  const used = [...survey].filter(([, { isEmpty }]) => !isEmpty).map(([name]) => name);
  if (used.length > 0 || knownIn !== undefined) {
    const traces = [...used.map((name) => `${name} holds messages`), ...(knownIn === undefined ? [] : [`${knownIn} knows it`])];
    throw new InitError(
      `Topic ${topics.log.name} is ${survey.has(topics.log.name) ? 'empty' : 'gone'}, though ${traces.join(' and ')}: the log of Connect cluster ` +
        `${clusterId} was lost. Stop all nodes and run \`${restoreCommand(clusterId, knownIn)}\`, or delete all of its topics ` +
        'and the directories of its nodes to start over',
    );
  }
  if (purpose === 'create') return brokerName;
  throw new InitError(
    `Connect cluster ${clusterId} was not created to the end. Finish it: \`sluice init --new --cluster ${clusterId} --broker ${brokerName}\``,
  );
}
