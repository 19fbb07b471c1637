export const logLevels = ['ERROR', 'WARN', 'INFO', 'DEBUG'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The log of this process. */
export interface NodeLogger {
  level(): LogLevel;
  setLevel(level: LogLevel): void;
  warn(text: string): void;
}
