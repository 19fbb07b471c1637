import { ConsoleLogger, type LogLevel } from '@nestjs/common';

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'log', 'debug'];

/** How much a node logs. */
export const LogThreshold = { error: 'error', warn: 'warn', info: 'info', debug: 'debug' } as const;
export type LogThreshold = (typeof LogThreshold)[keyof typeof LogThreshold];

function levelsUpTo(threshold: LogThreshold): LogLevel[] {
  return LEVELS.slice(0, LEVELS.indexOf(threshold === 'info' ? 'log' : threshold) + 1);
}

/** One line per message: time, level, context, text. Times are UTC. */
export class ProcessLogger extends ConsoleLogger {
  #threshold: LogThreshold;

  constructor(threshold: LogThreshold, context?: string) {
    super(context ?? '', { logLevels: levelsUpTo(threshold) });
    this.#threshold = threshold;
  }

  get threshold(): LogThreshold {
    return this.#threshold;
  }

  setThreshold(threshold: LogThreshold): void {
    this.#threshold = threshold;
    this.setLogLevels(levelsUpTo(threshold));
  }

  /** For the framework: its start-up lines say nothing to an operator. */
  quiet(): ProcessLogger {
    return new ProcessLogger('warn');
  }

  /** Makes a logger for plain classes. */
  scoped(scope: string): ScopedLogger {
    return {
      debug: (text) => {
        this.debug(text, scope);
      },
      info: (text) => {
        this.log(text, scope);
      },
      warn: (text) => {
        this.warn(text, scope);
      },
      error: (text) => {
        this.error(text, undefined, scope);
      },
    };
  }

  protected override formatMessage(level: LogLevel, message: unknown, _pid: string, _level: string, contextMessage: string): string {
    const name = level === 'log' ? 'INFO' : level.toUpperCase();
    return `${new Date().toISOString().slice(11, 23)} ${name.padEnd(5)} ${contextMessage}${printable(String(message))}\n`;
  }

  protected override formatContext(context: string): string {
    return context === '' ? '' : `[${context}] `;
  }
}

const shortEscapes: Readonly<Record<string, string>> = { '\r': '\\r', '\t': '\\t' };

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
      (character) => shortEscapes[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    );
}

/** Time between two lines about what may come with every message, for instance that it cannot be read. */
export const WARNING_INTERVAL_MS = 10_000;

export interface ScopedLogger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}
