import type { LiveReports, LogLevels, LogThreshold } from '@sluice/node';
import { Question, type LoggerLevelAnswer, type LoggerLevelQuestion } from '@sluice/protocol';
import type { RpcEndpoint } from '@sluice/rpc';
import type { ClusterLoggers, LoggerLevel, LoggersAnswer, LogLevel } from '../ports/gateway-ports.js';

const ASK_TIMEOUT_MS = 5_000;
/** Nodes that are asked at a time. */
const MOST_ASKED = 32;

const LEVEL_OF = { error: 'ERROR', warn: 'WARN', info: 'INFO', debug: 'DEBUG' } as const satisfies Record<LogThreshold, LogLevel>;
const THRESHOLD_OF = { ERROR: 'error', WARN: 'warn', INFO: 'info', DEBUG: 'debug' } as const satisfies Record<LogLevel, LogThreshold>;

/** Sets what this process logs, and asks other nodes over the rpc topic to do the same. */
export class NodeLoggers implements ClusterLoggers {
  constructor(
    private readonly nodeId: string,
    private readonly levels: LogLevels,
    private readonly reports: Pick<LiveReports, 'ofMembers'>,
    private readonly rpc: Pick<RpcEndpoint, 'request'>,
  ) {}

  all(): ReadonlyMap<string, LoggerLevel> {
    return new Map([...this.levels.all()].map(([name, { level, modifiedAt }]) => [name, { level: LEVEL_OF[level], modifiedAt }]));
  }

  set(name: string, level: LogLevel): readonly string[] {
    return this.levels.set(name, THRESHOLD_OF[level], Date.now());
  }

  async setOnOthers(name: string, level: LogLevel): Promise<LoggersAnswer> {
    const question: LoggerLevelQuestion = { logger: name, level: THRESHOLD_OF[level] };
    const others = this.reports.ofMembers().flatMap(({ nodeId }) => (nodeId === this.nodeId ? [] : [nodeId]));
    const changed = new Set<string>();
    const unanswered: string[] = [];
    for (let from = 0; from < others.length; from += MOST_ASKED) {
      const asked = others.slice(from, from + MOST_ASKED).map(async (node) => {
        try {
          const target = { node, pattern: Question.loggerLevel };
          const answer = (await this.rpc.request(target, question, { timeoutMs: ASK_TIMEOUT_MS })) as LoggerLevelAnswer;
          for (const each of answer.changed) changed.add(each);
        } catch (error) {
          unanswered.push(`${node} (${(error as Error).message})`);
        }
      });
      await Promise.all(asked);
    }
    return { changed: [...changed], unanswered: unanswered.sort() };
  }
}
