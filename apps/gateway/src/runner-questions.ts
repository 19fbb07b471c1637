import type { Config, PluginInfo, Report } from '@sluice/core';
import { isRpcError, RpcTimeoutError, type LiveReports, type RpcEndpoint } from '@sluice/platform';
import { Question, type DefinitionsAnswer, type DefinitionsQuestion, type ValidateQuestion } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type FieldDescription } from '@sluice/sdk';
import { ControlPlaneUnavailableError } from './ports/control-plane-unavailable.error.js';
import type { PluginQuestions, ValidationAnswer } from './ports/plugin-questions.port.js';

const askTimeoutMs = 5000;
/** One runner after the other is asked, so a dead one costs a time-out and not the answer. */
const mostRunnersAsked = 3;

/** Asks runners over the rpc topic. */
export class RunnerQuestions implements PluginQuestions {
  constructor(
    private readonly reports: LiveReports,
    private readonly rpc: RpcEndpoint,
  ) {}

  list(): readonly PluginInfo[] {
    return this.reports.ofMembers().flatMap((report) => report.plugins);
  }

  async validate(className: string, config: Config): Promise<ValidationAnswer> {
    const question: ValidateQuestion = { className, config };
    return (await this.ask(className, Question.validate, question)) as ValidationAnswer;
  }

  async definitions(className: string): Promise<readonly FieldDescription[]> {
    const question: DefinitionsQuestion = { className };
    return ((await this.ask(className, Question.definitions, question)) as DefinitionsAnswer).fields;
  }

  private async ask(className: string, pattern: string, question: object): Promise<unknown> {
    const runners = this.reports.ofMembers().filter((report) => lists(report, className));
    if (runners.length === 0) throw new ControlPlaneUnavailableError(`No runner that has ${className} is there`);
    let last: unknown;
    // The one heard of last is the likeliest to answer.
    for (const runner of runners.sort((a, b) => b.sentAt - a.sentAt).slice(0, mostRunnersAsked)) {
      try {
        return await this.rpc.request({ node: runner.nodeId, pattern }, question, { timeoutMs: askTimeoutMs });
      } catch (error) {
        if (!(error instanceof RpcTimeoutError) && !(isRpcError(error) && error.retriable)) throw error;
        last = error;
      }
    }
    if (last instanceof RpcTimeoutError) {
      throw new ConnectError(ConnectErrorCode.timeout, `No runner answered: ${last.message}`, {
        retriable: true,
        cause: last,
      });
    }
    throw new ControlPlaneUnavailableError(`No runner could be asked: ${(last as Error).message}`, { cause: last });
  }
}

function lists(report: Report, className: string): boolean {
  return report.plugins.some((plugin) => plugin.name === className || plugin.aliases.includes(className));
}
