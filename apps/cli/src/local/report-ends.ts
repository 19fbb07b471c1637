import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 1000;

export interface ReportEndsOptions {
  /** Returns the processes of RocketMQ that do not run. */
  readonly look: () => Promise<readonly string[]>;
  /** Starts again what has ended. */
  readonly command: string;
  readonly say: (text: string) => void;
  /** Aborted when RocketMQ is no longer looked at. */
  readonly signal: AbortSignal;
  readonly everyMs?: number;
}

/**
 * Says once which process of RocketMQ has ended, with the command that starts it again, and once when it runs again. Never starts one:
 * an operator may have stopped it on purpose. Rejects with the signal's reason.
 */
export async function reportEnds({ look, command, say, signal, everyMs = POLL_MS }: ReportEndsOptions): Promise<never> {
  let known: readonly string[] = [];
  let isReadable = true;
  for (;;) {
    try {
      const ended = await look();
      signal.throwIfAborted();
      for (const id of ended.filter((each) => !known.includes(each))) {
        say(`RocketMQ's ${id} has ended. Start it again with \`${command}\``);
      }
      for (const id of known.filter((each) => !ended.includes(each))) say(`RocketMQ's ${id} runs again`);
      known = ended;
      isReadable = true;
    } catch (error) {
      signal.throwIfAborted();
      if (isReadable) say(`Whether RocketMQ runs cannot be determined: ${String(error)}`);
      isReadable = false;
    }
    await delay(everyMs, undefined, { signal });
  }
}
