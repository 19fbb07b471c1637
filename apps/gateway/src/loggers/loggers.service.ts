import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { LOG_LEVELS, type ClusterLoggers, type LoggerLevel, type LogLevel, ControlPlaneUnavailableError } from '../ports/gateway-ports.js';

export interface LoggerJson {
  readonly level: string;
  /** When it was set through this API, milliseconds since the epoch; null before. */
  readonly last_modified: number | null;
}

/**
 * Reads and sets how much is logged, until the end of each process. Methods throw ConnectError with code `CONNECT_NOT_FOUND` for a logger that
 * nobody has.
 */
export class LoggersService {
  constructor(private readonly loggers: ClusterLoggers) {}

  /** Returns the loggers of the process that answers. */
  all(): Readonly<Record<string, LoggerJson>> {
    return Object.fromEntries([...this.loggers.all()].map(([name, logger]) => [name, asJson(logger)]));
  }

  one(name: string): LoggerJson {
    const logger = this.loggers.all().get(name);
    if (logger === undefined) throw notFound(name);
    return asJson(logger);
  }

  /**
   * Sets the level of a logger and of those below it, in the process that answers. As in Kafka Connect a level that does not exist is "not found".
   *
   * @returns the names of those that changed
   * @throws ConnectError with code `CONNECT_NOT_FOUND`, or `CONNECT_REQUEST_INVALID` without a level.
   */
  set(name: string, given: unknown): readonly string[] {
    const changed = this.loggers.set(name, levelOf(given));
    if (changed.length === 0) throw notFound(name);
    return changed;
  }

  /**
   * Sets the level in each live node of the cluster. Nodes that start later begin with the level of their settings.
   *
   * @throws ControlPlaneUnavailableError naming the nodes that do not answer; the others have the level then
   */
  async setInCluster(name: string, given: unknown): Promise<void> {
    const level = levelOf(given);
    const changed = this.loggers.set(name, level);
    const others = await this.loggers.setOnOthers(name, level);
    if (others.unanswered.length > 0) {
      const missing = others.unanswered.join(', ');
      throw new ControlPlaneUnavailableError(`Logger ${name} has level ${level} now, except where a node did not answer: ${missing}`);
    }
    if (changed.length + others.changed.length === 0) throw notFound(name);
  }
}

function levelOf(given: unknown): LogLevel {
  const allowed = LOG_LEVELS.join(', ');
  if (typeof given !== 'string') {
    throw new ConnectError(ConnectErrorCode.requestInvalid, `level: text is needed, allowed are ${allowed}`);
  }
  const level = LOG_LEVELS.find((each) => each === given.toUpperCase());
  if (level !== undefined) return level;
  const shown = JSON.stringify(given.slice(0, 100));
  throw new ConnectError(ConnectErrorCode.notFound, `Invalid log level ${shown}: allowed are ${allowed}`);
}

function asJson({ level, modifiedAt }: LoggerLevel): LoggerJson {
  return { level, last_modified: modifiedAt ?? null };
}

function notFound(name: string): ConnectError {
  return new ConnectError(ConnectErrorCode.notFound, `Logger ${name} not found.`);
}
