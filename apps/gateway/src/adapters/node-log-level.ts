import { type ProcessLogger } from '@sluice/node';
import { type LogLevel, type NodeLogger } from '../ports/node-logger.port.js';

const levelOfThreshold = { error: 'ERROR', warn: 'WARN', info: 'INFO', debug: 'DEBUG' } as const;
const thresholdOfLevel = { ERROR: 'error', WARN: 'warn', INFO: 'info', DEBUG: 'debug' } as const;

/** The log of the node that the gateway is. */
export class NodeLogLevel implements NodeLogger {
  constructor(private readonly logger: ProcessLogger) {}

  level(): LogLevel {
    return levelOfThreshold[this.logger.threshold];
  }

  setLevel(level: LogLevel): void {
    this.logger.setThreshold(thresholdOfLevel[level]);
  }

  warn(text: string): void {
    this.logger.scoped('connectors').warn(text);
  }
}
