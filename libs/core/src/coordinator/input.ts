import type { FoldResult } from '../log/fold.js';
import type { Command } from '../model/command.js';
import type { Overrides } from '../model/connector.js';
import type { Report } from '../model/report.js';

/** What a runner said when asked to split a connector. */
export type SplitAnswer =
  | { readonly kind: 'tasks'; readonly tasks: readonly Overrides[] }
  /** The connector itself refused: this is final for this config. */
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'no-such-plugin' }
  | { readonly kind: 'timeout' };

/** How a send ended: `unknown` is reported only once its connection is closed. */
export type AppendOutcome = 'stored' | 'not-stored' | 'unknown';

/** `now` is monotonic, `wall` the time since the epoch, both in milliseconds. */
export type Input = { readonly now: number; readonly wall: number } & InputBody;

/** What a message of the reports topic says. */
export type ReportsSign =
  | { readonly kind: 'report'; readonly report: Report }
  /** A report came of which the whole is not known: its node lives. */
  | { readonly kind: 'alive'; readonly nodeId: string; readonly incarnation: string; readonly reportSeq: number }
  /** A probe of some coordinator came back through the queue it was sent to. */
  | { readonly kind: 'probe'; readonly probe: { readonly incarnation: string; readonly sentAt: number } };

export type InputBody =
  /**
   * Its node has folded what follows the state of the input before, or the first state. The coordinator takes that state as its own: folding again
   * would cost the same again, and keep a second copy. `nextOffset` is the offset after the last message read, decodable or not.
   */
  | ({ readonly kind: 'log.folded'; readonly nextOffset: number } & FoldResult)
  /**
   * A non-suspending pull sent at `sentAt` (monotonic) was answered with `nextOffset = maxOffset`, all before is folded. `minOffset` is the
   * first entry that retention has left.
   */
  | { readonly kind: 'head.reached'; readonly sentAt: number; readonly minOffset?: number }
  /**
   * All that one answer held of a queue of the reports topic, in its order. Large clusters send hundreds of messages a
   * second, and one step for each would cost more than most of them. `storedAt` is when the broker stored the newest,
   * by its own clock, in milliseconds since the epoch.
   */
  | {
      readonly kind: 'reports.read';
      readonly queue: number;
      readonly signs: readonly ReportsSign[];
      readonly storedAt?: number;
    }
  /** `readId` is that of the `read-commands` that this was read for. */
  | { readonly kind: 'command.read'; readonly readId: number; readonly offset: number; readonly command: Command }
  /** The queue read for `readId` is not the one that was read before; `minOffset` is where it begins now. */
  | { readonly kind: 'commands.cut'; readonly readId: number; readonly minOffset: number }
  | {
      readonly kind: 'task-configs.answered';
      readonly connector: string;
      readonly configVersion: number;
      readonly nodeId: string;
      readonly answer: SplitAnswer;
    }
  /** `lastOffset` is that of the append's last entry in the queue, where the broker reported it. */
  | {
      readonly kind: 'append.settled';
      readonly appendId: number;
      readonly outcome: AppendOutcome;
      readonly lastOffset?: number;
    }
  /** To be sent every 100 ms or so: all that depends on time alone happens here. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'stop' };
