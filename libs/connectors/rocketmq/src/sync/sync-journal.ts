import type { TaskLogger } from '@sluice/sdk';

/** Lists in a status hold no more than this; counts have no limit. */
const MAX_LISTED = 100;

/** What a configuration sync has done since its start, and what stood in its way in the last round. */
export interface SyncStatus {
  /** Comparisons of both clusters that came to an end. */
  readonly rounds: number;
  /** Actions that succeeded. */
  readonly applied: number;
  /** Actions that failed, each time that they did. */
  readonly failed: number;
  /** Of the last round: actions that failed, and why. */
  readonly failures: readonly string[];
  /** Of the last round: what could not be read, such as brokers that did not answer. */
  readonly problems: readonly string[];
  /** Of the last round: what differs and stays as it is, and why. */
  readonly left: readonly string[];
  /** Of the last round: what cannot be copied, and why. */
  readonly notes: readonly string[];
  /** Of the last round of a dry run: what would be done. */
  readonly planned: readonly string[];
  /** How many entries those lists had no room for. */
  readonly unlisted: number;
}

type ListName = 'failures' | 'problems' | 'left' | 'notes' | 'planned';

/** Counts and logs what a configuration sync does: each thing once, and again only after it was different. */
export class SyncJournal {
  readonly #logger: TaskLogger;
  #rounds = 0;
  #applied = 0;
  #failed = 0;
  #lines = linesOfRound();
  #finished = linesOfRound();

  constructor(logger: TaskLogger) {
    this.#logger = logger;
  }

  begin(): void {
    this.#lines = linesOfRound();
  }

  problem(what: string, why: string): void {
    this.#add('problems', `${what}: ${why}`, (line) => {
      this.#logger.warn(`Configuration sync: cannot read ${line}`);
    });
  }

  applied(line: string): void {
    this.#applied += 1;
    this.#logger.info(`Configuration sync: ${line}`);
  }

  failed(line: string, why: string): void {
    this.#failed += 1;
    this.#add('failures', `${line}: ${why}`, (text) => {
      this.#logger.warn(`Configuration sync: failed: ${text}`);
    });
  }

  left(key: string, why: string): void {
    this.#add('left', `${key}: ${why}`, (line) => {
      this.#logger.info(`Configuration sync: left as it is: ${line}`);
    });
  }

  noted(key: string, text: string): void {
    this.#add('notes', `${key}: ${text}`, (line) => {
      this.#logger.warn(`Configuration sync: not copied: ${line}`);
    });
  }

  planned(line: string): void {
    this.#add('planned', line, (text) => {
      this.#logger.info(`Configuration sync: would ${text}`);
    });
  }

  roundEnded(isWhole: boolean): void {
    if (isWhole) this.#rounds += 1;
    this.#finished = this.#lines;
  }

  status(): SyncStatus {
    const lists = this.#finished;
    const listed = (name: ListName): string[] => [...lists[name]].slice(0, MAX_LISTED);
    return {
      rounds: this.#rounds,
      applied: this.#applied,
      failed: this.#failed,
      failures: listed('failures'),
      problems: listed('problems'),
      left: listed('left'),
      notes: listed('notes'),
      planned: listed('planned'),
      unlisted: Object.values(lists).reduce((sum, lines) => sum + Math.max(0, lines.size - MAX_LISTED), 0),
    };
  }

  #add(list: ListName, line: string, log: (line: string) => void): void {
    this.#lines[list].add(line);
    if (!this.#finished[list].has(line)) log(line);
  }
}

function linesOfRound(): Record<ListName, Set<string>> {
  return { failures: new Set(), problems: new Set(), left: new Set(), notes: new Set(), planned: new Set() };
}
