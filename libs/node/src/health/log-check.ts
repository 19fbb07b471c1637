import { withLimit } from '@sluice/time';
import type { QueueRef } from '@sluice/rocketmq';
import { LogBehindError, LogRewrittenError, LogUnclearError } from '../log/log-errors.js';
import type { LogFollower } from '../log/log-follower.js';
import type { NodeCheck } from './health-check.js';

const PROOF_TIMEOUT_MS = 1500;

/** Checks that the broker says where the log ends, and that the node has read it up to there. */
export function logCheck(follower: LogFollower, queue: QueueRef): NodeCheck {
  return {
    name: 'log',
    check: async (signal) => {
      await withLimit(signal, PROOF_TIMEOUT_MS, async (limited) => {
        try {
          await follower.proveHead(limited);
        } catch (error) {
          throw new Error(reasonOf(error, queue, limited.aborted && !signal.aborted), { cause: error });
        }
      });
      const { head, epoch } = follower.state;
      return { seq: head.seq, epoch, behind: 0 };
    },
  };
}

function reasonOf(error: unknown, { topic, brokerName }: QueueRef, isLate: boolean): string {
  const { message } = error as Error;
  if (error instanceof LogRewrittenError || error instanceof LogUnclearError) return message;
  if (error instanceof LogBehindError) {
    return `${message}. It becomes ready by itself once it has read them; if the distance does not shrink, look at its CPU and its network`;
  }
  const why = isLate ? `no answer within ${PROOF_TIMEOUT_MS} ms` : message;
  return `The log ${topic} cannot be read from broker ${brokerName}: ${why}. Start the broker or restore the network to it`;
}
