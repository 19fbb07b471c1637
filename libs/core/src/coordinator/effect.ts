import type { Config } from '../model/connector.js';
import type { LogEvent } from '../model/entry.js';

export type Effect =
  /**
   * Encode the events as a chain after `after`, each with this `logId`, `epoch`, `claimId` and `at`. Send them as one
   * batch, then report `append.settled` exactly once. Never resend, and send nothing that `maySend` does not allow at
   * that moment: it is `not-stored`.
   */
  | {
      readonly kind: 'append';
      readonly appendId: number;
      readonly events: readonly LogEvent[];
      readonly after: { readonly offset: number; readonly seq: number; readonly digest: string };
      readonly logId: string;
      readonly epoch: number;
      readonly claimId: string;
      readonly at: number;
      /** In the time of `elapsedMs`. */
      readonly sendBeforeMs: number;
    }
  /** Send a probe that carries this incarnation and `sentAt` to a queue of the reports topic. */
  | { readonly kind: 'send-probe'; readonly queue: number; readonly sentAt: number }
  /** Answer with `task-configs.answered`, at the latest with `timeout`. */
  | {
      readonly kind: 'ask-task-configs';
      readonly nodeId: string;
      readonly connector: string;
      readonly configVersion: number;
      readonly config: Config;
      readonly maxTasks: number;
    }
  /**
   * Read the commands queue from this offset on instead of before, and deliver `command.read` with this id in its order. Where the
   * command before it is still there and is not `lastRequestId`, or the queue ends before it, deliver `commands.cut` instead.
   */
  | {
      readonly kind: 'read-commands';
      readonly readId: number;
      readonly fromOffset: number;
      readonly lastRequestId?: string;
    }
  | { readonly kind: 'became-leader'; readonly epoch: number }
  | { readonly kind: 'stepped-down'; readonly epoch: number; readonly reason: string }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly message: string }
  /** Nothing follows. `stopped` is what was asked for; after the others a new incarnation may start. */
  | {
      readonly kind: 'exit';
      readonly reason: 'stopped' | 'rejected' | 'expired' | 'superseded';
      readonly message: string;
    };
