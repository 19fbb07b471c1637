import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { LOG_LEVELS, type NodeLogger } from '../ports/gateway-ports.js';

/** The one logger of the process: what it is set to holds for everything that the gateway logs. */
const ROOT_NAME = 'root';

export interface LoggerJson {
  readonly level: string;
  /** When it was set through this API, milliseconds since the epoch; null before. */
  readonly last_modified: number | null;
}

/** Reads and sets how much the gateway's own process logs, until its end. Methods throw ConnectError with code `CONNECT_NOT_FOUND` for another logger. */
export class LoggersService {
  #lastModified: number | null = null;

  constructor(private readonly logger: NodeLogger) {}

  all(): Readonly<Record<string, LoggerJson>> {
    return { [ROOT_NAME]: this.one(ROOT_NAME) };
  }

  one(name: string): LoggerJson {
    checkName(name);
    return { level: this.logger.level(), last_modified: this.#lastModified };
  }

  /**
   * Sets the level of a logger and answers the names of those that changed. As in Kafka Connect a level that does not exist is "not found".
   *
   * @throws ConnectError with code `CONNECT_NOT_FOUND`, or `CONNECT_REQUEST_INVALID` without a level.
   */
  set(name: string, given: unknown): readonly string[] {
    checkName(name);
    const allowed = LOG_LEVELS.join(', ');
    if (typeof given !== 'string') {
      throw new ConnectError(ConnectErrorCode.requestInvalid, `level: text is needed, allowed are ${allowed}`);
    }
    const level = LOG_LEVELS.find((each) => each === given.toUpperCase());
    if (level === undefined) {
      const shown = JSON.stringify(given.slice(0, 100));
      throw new ConnectError(ConnectErrorCode.notFound, `Invalid log level ${shown}: allowed are ${allowed}`);
    }
    this.logger.setLevel(level);
    this.#lastModified = Date.now();
    return [ROOT_NAME];
  }
}

function checkName(name: string): void {
  if (name !== ROOT_NAME) throw new ConnectError(ConnectErrorCode.notFound, `Logger ${name} not found.`);
}
