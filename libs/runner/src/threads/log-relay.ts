import { isWanted, type LogScope, type LogThreshold, type ScopedLogger } from '@sluice/node';

/** Lines that a thread may have on their way to the main thread, which writes them. */
const MAX_ON_THEIR_WAY = 1_000;
/** Of them, lines below warnings: many may be of connectors whose lines the main thread leaves out, and none may cost an error its place. */
const MAX_BELOW_WARNINGS = 900;

/** Counts the lines on their way from one thread: the thread adds, the main thread takes off. */
export function newLineCount(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** Notes in the main thread that a line has arrived. */
export function noteArrival(lines: SharedArrayBuffer): void {
  Atomics.sub(new Int32Array(lines), 0, 1);
}

/**
 * Sends the log of a task thread to the main thread. Lines that come faster than that thread takes them are counted and left out: its inbox must not
 * grow without end.
 */
export class LogRelay {
  readonly #lines: Int32Array;
  #leftOut = 0;

  constructor(
    lines: SharedArrayBuffer,
    /** See {@link isWanted}. The main thread leaves out what that logger does not log. */
    private readonly mostVerbose: SharedArrayBuffer,
    private readonly send: (line: { readonly level: LogThreshold; readonly scope: LogScope; readonly text: string }) => void,
  ) {
    this.#lines = new Int32Array(lines);
  }

  scoped(scope: LogScope): ScopedLogger {
    const write =
      (level: LogThreshold) =>
      (text: string): void => {
        this.#write(level, scope, text);
      };
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }

  #write(level: LogThreshold, scope: LogScope, text: string): void {
    if (!isWanted(this.mostVerbose, level)) return;
    const most = level === 'debug' || level === 'info' ? MAX_BELOW_WARNINGS : MAX_ON_THEIR_WAY;
    if (Atomics.load(this.#lines, 0) >= most) {
      this.#leftOut += 1;
      return;
    }
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    if (leftOut > 0) this.#post('warn', scope, `${leftOut} lines of this thread's log came too fast and are left out`);
    this.#post(level, scope, text);
  }

  #post(level: LogThreshold, scope: LogScope, text: string): void {
    Atomics.add(this.#lines, 0, 1);
    this.send({ level, scope, text });
  }
}
