import type { Config, PluginInfo, Report } from '@sluice/core';
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
    return (await this.#ask(className, Question.validate, question, VALIDATE_TIMEOUT_MS)) as ValidateAnswer;
  }

  async definitions(className: string): Promise<readonly FieldDescription[]> {
    const question: DefinitionsQuestion = { className };
    return ((await this.#ask(className, Question.definitions, question)) as DefinitionsAnswer).fields;
  }

  async #ask(className: string, pattern: string, question: object, timeoutMs = ASK_TIMEOUT_MS): Promise<unknown> {
    const runners = this.reports.ofMembers().filter((report) => !report.leaving && lists(report, className));
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

function lists(report: Report, className: string): boolean {
  return report.plugins.some((plugin) => plugin.name === className || plugin.aliases.includes(className));
}
