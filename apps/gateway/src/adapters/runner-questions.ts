import { allowsVersion, type Config, parseVersionRange, type PluginInfo, type Report, type VersionRange } from '@sluice/core';
import { isRpcError, type RpcEndpoint } from '@sluice/rpc';
import type { LiveReports } from '@sluice/node';
import {
  Question,
  VALIDATION_LIMIT_MS,
  type DefinitionsAnswer,
  type DefinitionsQuestion,
  type ValidateQuestion,
  type ValidateAnswer,
} from '@sluice/protocol';
import type { FieldDescription } from '@sluice/sdk';
import { ControlPlaneUnavailableError, type PluginQuestions } from '../ports/gateway-ports.js';

const ASK_TIMEOUT_MS = 5000;
/** A check that does not end in time is the runner's to report: another runner would only wait as long. */
const VALIDATE_TIMEOUT_MS = VALIDATION_LIMIT_MS + ASK_TIMEOUT_MS;
/** One runner after the other is asked, so a dead one costs a time-out and not the answer. */
const MOST_RUNNERS_ASKED = 3;

/** The plugin that a question is about. */
interface Asked {
  readonly className: string;
  readonly version?: string | undefined;
  readonly kind?: PluginInfo['kind'] | undefined;
}

/** Asks runners over the rpc topic. */
export class RunnerQuestions implements PluginQuestions {
  constructor(
    private readonly reports: Pick<LiveReports, 'ofMembers'>,
    private readonly rpc: Pick<RpcEndpoint, 'request'>,
  ) {}

  list(): readonly PluginInfo[] {
    return this.reports.ofMembers().flatMap((report) => report.plugins);
  }

  async validate(className: string, config: Config): Promise<ValidateAnswer> {
    const question: ValidateQuestion = { className, config };
    const version = config['connector.plugin.version'];
    return (await this.#ask({ className, version }, Question.validate, question, VALIDATE_TIMEOUT_MS)) as ValidateAnswer;
  }

  async definitions(className: string, version?: string, kind?: PluginInfo['kind']): Promise<readonly FieldDescription[]> {
    const question: DefinitionsQuestion = {
      className,
      ...(version === undefined ? {} : { version }),
      ...(kind === undefined ? {} : { kind }),
    };
    return ((await this.#ask({ className, version, kind }, Question.definitions, question)) as DefinitionsAnswer).fields;
  }

  async #ask({ className, version, kind }: Asked, pattern: string, question: object, timeoutMs = ASK_TIMEOUT_MS): Promise<unknown> {
    const all = this.reports.ofMembers().filter((report) => !report.leaving && lists(report, { className, kind }, []));
    const range = version === undefined ? [] : parseVersionRange(version);
    const fitting = range === undefined ? [] : all.filter((report) => lists(report, { className, kind }, range));
    // Where none has the version, whoever has the class says which versions there are.
    const runners = fitting.length > 0 ? fitting : all;
    if (runners.length === 0) throw new ControlPlaneUnavailableError(`No runner that has ${className} is there`);
    let last: unknown;
    // The one heard of last is the likeliest to answer.
    for (const runner of runners.sort((a, b) => b.sentAt - a.sentAt).slice(0, MOST_RUNNERS_ASKED)) {
      try {
        return await this.rpc.request({ node: runner.nodeId, pattern }, question, { timeoutMs });
      } catch (error) {
        if (!isRpcError(error) || !error.retriable) throw error;
        last = error;
      }
    }
    throw new ControlPlaneUnavailableError(`No runner could be asked about ${className}: ${(last as Error).message}`, {
      cause: last,
    });
  }
}

function lists(report: Report, { className, kind }: Asked, range: VersionRange): boolean {
  return report.plugins.some(
    (plugin) =>
      (plugin.name === className || plugin.aliases.includes(className)) &&
      (kind === undefined || plugin.kind === kind) &&
      (range.length === 0 || allowsVersion(range, plugin.version)),
  );
}
