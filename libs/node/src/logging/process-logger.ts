import type { LoggerService } from '@nestjs/common';
import { CONNECTOR_LOGGER, LogLevels, type LogThreshold } from './log-levels.js';

/** A line a message, for people; or an object of JSON a line, for what collects logs. */
export const LogFormat = { text: 'text', json: 'json' } as const;
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];

/** Whose lines a logger writes: a part of the process, or a connector, or one of its tasks. */
export type LogScope = string | { readonly connector: string; readonly task?: number };

export interface ScopedLogger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** Time between two lines about what may come with every message, for instance that it cannot be read. */
export const WARNING_INTERVAL_MS = 10_000;

/** Logs what a process does, one message after the other. Times are UTC; errors go to stderr. */
export class ProcessLogger {
  readonly levels: LogLevels;
  #format: LogFormat = LogFormat.text;

  /** @param threshold what all loggers start with */
  constructor(
    threshold: LogThreshold,
    private readonly write: (line: string, level: LogThreshold) => void = writeToProcess,
  ) {
    this.levels = new LogLevels(threshold);
  }

  /** To be called once the settings are known. */
  configure(threshold: LogThreshold, format: LogFormat): void {
    this.levels.start(threshold);
    this.#format = format;
  }

  /** Makes a logger for plain classes. */
  scoped(scope: LogScope): ScopedLogger {
    const { name, label, fields } = describeScope(scope);
    this.levels.list(name);
    const writing =
      (level: LogThreshold) =>
      (text: string): void => {
        if (!this.levels.allows(name, level)) return;
        this.write(this.#format === 'json' ? jsonLine(level, name, fields, text) : textLine(level, label, text), level);
      };
    return { debug: writing('debug'), info: writing('info'), warn: writing('warn'), error: writing('error') };
  }

  /** Returns a logger for the framework: its start-up lines say nothing to an operator. */
  forFramework(): LoggerService {
    const logger = this.scoped('framework');
    return {
      log: () => undefined,
      warn: (message: unknown) => {
        logger.warn(String(message));
      },
      error: (message: unknown, stack?: unknown) => {
        logger.error(typeof stack === 'string' && stack.includes('\n') ? `${String(message)}\n${stack}` : String(message));
      },
    };
  }
}

function writeToProcess(line: string, level: LogThreshold): void {
  (level === 'error' ? process.stderr : process.stdout).write(line);
}

interface ScopeDescription {
  readonly name: string;
  /** What stands in a line of text. */
  readonly label: string;
  readonly fields: object;
}

function describeScope(scope: LogScope): ScopeDescription {
  if (typeof scope === 'string') return { name: scope, label: scope, fields: {} };
  const { connector, task } = scope;
  return { name: `${CONNECTOR_LOGGER}.${connector}`, label: task === undefined ? connector : `${connector}-${task}`, fields: scope };
}

function textLine(level: LogThreshold, label: string, text: string): string {
  return `${new Date().toISOString().slice(11, 23)} ${level.toUpperCase().padEnd(5)} [${label}] ${printable(text)}\n`;
}

function jsonLine(level: LogThreshold, logger: string, fields: object, text: string): string {
  const message = text.trimEnd();
  const line = JSON.stringify({ time: new Date().toISOString(), level: level.toUpperCase(), logger, ...fields, message });
  // JSON itself leaves these characters as they are.
  return `${line.replaceAll(/[\u007f-\u009f\u2028\u2029]/g, escaped)}\n`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\r': '\\r', '\t': '\\t' };

/**
 * Shows what a terminal or a reader of lines would obey as text: control characters, and line separators of Unicode. Line ends stay,
 * for traces; each further line is indented, so that no text can pass for a line of the log.
 */
function printable(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/\r?\n(?!\s)/g, '\n  ')
    .replaceAll('\r\n', '\n')
    .replaceAll(
      // eslint-disable-next-line no-control-regex -- these are what is looked for
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g,
      (character) => SHORT_ESCAPES[character] ?? escaped(character),
    );
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
