/** How much is logged. */
export const LogThreshold = { error: 'error', warn: 'warn', info: 'info', debug: 'debug' } as const;
export type LogThreshold = (typeof LogThreshold)[keyof typeof LogThreshold];

const ORDER: readonly LogThreshold[] = ['error', 'warn', 'info', 'debug'];

export const ROOT_LOGGER = 'root';
/** Above the loggers of all connectors, which are named `connector.<name>`. */
export const CONNECTOR_LOGGER = 'connector';
/** Connectors come and go: those after so many loggers obey levels, and are not listed. */
const MAX_LISTED = 10_000;
/** Levels that are kept for connectors without a task here: one may come. */
const MAX_AHEAD = 1_000;
/** As long as the longest name of a connector. */
const MAX_NAME_LENGTH = 1_000;

export interface LoggerLevel {
  readonly level: LogThreshold;
  /** When it was set, in milliseconds since the epoch; undefined where it was not set since the start. */
  readonly modifiedAt: number | undefined;
}

/** Keeps how much each logger of a process logs. A logger without a level of its own has that of the logger above it. */
export class LogLevels {
  readonly #levels = new Map<string, LoggerLevel>();
  readonly #listed = new Set<string>([ROOT_LOGGER]);
  readonly #mostVerbose = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  constructor(root: LogThreshold) {
    this.#levels.set(ROOT_LOGGER, { level: root, modifiedAt: undefined });
    this.#noteMostVerbose();
  }

  /** The level of the logger that logs most, see {@link isWanted}: other threads read it. */
  get mostVerbose(): SharedArrayBuffer {
    return this.#mostVerbose.buffer;
  }

  /** Lists a logger, and those above it. */
  list(name: string): void {
    for (let each: string | undefined = name; each !== undefined && this.#listed.size < MAX_LISTED; each = above(each)) {
      this.#listed.add(each);
    }
  }

  /** Returns the level of a logger, whether it is listed or not. */
  of(name: string): LoggerLevel {
    for (let each: string | undefined = name; each !== undefined; each = above(each)) {
      const own = this.#levels.get(each);
      if (own !== undefined) return own;
    }
    throw new Error('the root logger has no level');
  }

  allows(name: string, level: LogThreshold): boolean {
    return ORDER.indexOf(level) <= ORDER.indexOf(this.of(name).level);
  }

  /** Returns the level of each logger that is listed or has a level of its own, by name. */
  all(): ReadonlyMap<string, LoggerLevel> {
    return new Map([...this.#names()].sort().map((name) => [name, this.of(name)]));
  }

  /**
   * Sets the level of a logger and of all below it. That of a connector may come before its tasks: 1,000 such levels are kept.
   *
   * @returns the names of those that have it now; none where the logger is not listed, unless a connector may come with it
   */
  set(name: string, level: LogThreshold, nowMs: number): readonly string[] {
    if (!this.#listed.has(name) && !this.#levels.has(name) && !this.#mayComeLater(name)) return [];
    for (const each of [...this.#levels.keys()]) if (isWithin(each, name)) this.#levels.delete(each);
    this.#levels.set(name, { level, modifiedAt: nowMs });
    this.#noteMostVerbose();
    if (above(name) === CONNECTOR_LOGGER) return [name];
    return [...this.#names()].filter((each) => isWithin(each, name)).sort();
  }

  /** Sets the level that all loggers start with. */
  start(level: LogThreshold): void {
    this.#levels.set(ROOT_LOGGER, { level, modifiedAt: undefined });
    this.#noteMostVerbose();
  }

  #names(): ReadonlySet<string> {
    return new Set([...this.#listed, ...this.#levels.keys()]);
  }

  #mayComeLater(name: string): boolean {
    const connector = name.slice(CONNECTOR_LOGGER.length + 1);
    const isConnector = above(name) === CONNECTOR_LOGGER && connector !== '' && connector.length <= MAX_NAME_LENGTH;
    return (
      isConnector && !/[\p{Cc}/]/u.test(connector) && [...this.#levels.keys()].filter((each) => !this.#listed.has(each)).length < MAX_AHEAD
    );
  }

  #noteMostVerbose(): void {
    Atomics.store(this.#mostVerbose, 0, Math.max(...[...this.#levels.values()].map(({ level }) => ORDER.indexOf(level))));
  }
}

/** Returns whether any logger may log a line of this level, by {@link LogLevels.mostVerbose}. */
export function isWanted(mostVerbose: SharedArrayBuffer, level: LogThreshold): boolean {
  return ORDER.indexOf(level) <= Atomics.load(new Int32Array(mostVerbose), 0);
}

function above(name: string): string | undefined {
  if (name === ROOT_LOGGER) return undefined;
  return name.startsWith(`${CONNECTOR_LOGGER}.`) ? CONNECTOR_LOGGER : ROOT_LOGGER;
}

/** Returns whether a logger is another one, or below that. */
function isWithin(name: string, other: string): boolean {
  for (let each: string | undefined = name; each !== undefined; each = above(each)) if (each === other) return true;
  return false;
}
