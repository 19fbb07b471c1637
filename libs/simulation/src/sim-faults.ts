import type { SimBroker } from './sim-broker.js';
import type { SimClock } from './sim-clock.js';
import type { SimCoordinator } from './sim-coordinator.js';
import { loseLog } from './sim-restore.js';
import { SimRunner } from './sim-runner.js';
import type { SimTruth } from './sim-truth.js';

/** What faults can happen to. */
export interface SimFleet {
  readonly clock: SimClock;
  readonly broker: SimBroker;
  readonly truth: SimTruth;
  readonly coordinators: readonly SimCoordinator[];
  readonly runners: readonly SimRunner[];
  readonly isUpgrade: boolean;
  double(nodeId: string): void;
}

const MAX_LOST_ENTRIES = 8;
/** No loss reaches back further. */
const MOST_LOST_ENTRIES = 60;
/** Retention keeps what follows a snapshot that is this old, counted in entries: it is far longer than the time between two. */
const RETAINED_ENTRIES = 30;

type Fault = (fleet: SimFleet, process: SimCoordinator | SimRunner) => void;

const FAULTS: readonly (readonly [weight: number, fault: Fault])[] = [
  [20, crash],
  [26, pause],
  [8, stall],
  [8, stallReports],
  [8, mute],
  [8, cutOff],
  [4, silenceReader],
  [4, blind],
  [8, suspend],
  [8, leave],
  [4, startDouble],
  [10, loseHead],
  [6, loseTail],
  [8, loseAssignment],
  [6, loseExpiry],
  [3, resignSoon],
  [3, recreateCommands],
  [3, recreateReports],
  [6, loseLog],
  [8, supplant],
];

/** One fault, by chance, to a process or to the broker. */
export function disturb(fleet: SimFleet): void {
  const { clock, coordinators, runners } = fleet;
  const process = clock.random() < 0.5 ? clock.pick(coordinators) : clock.pick(runners);
  let left = clock.random() * FAULTS.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, fault] of FAULTS) {
    left -= weight;
    if (left >= 0) continue;
    if (process !== undefined && !process.isDead) fault(fleet, process);
    return;
  }
}

function crash(_: SimFleet, process: SimCoordinator | SimRunner): void {
  process.isDead = true;
}

function pause({ clock }: SimFleet, process: SimCoordinator | SimRunner): void {
  process.pausedUntil = clock.now + clock.random() * 12_000;
}

function stall({ clock, broker }: SimFleet): void {
  broker.stalledUntil = Math.max(broker.stalledUntil, clock.now + clock.random() * 9_000);
}

/** The reports topic stalls while the log continues. */
function stallReports({ clock, broker }: SimFleet): void {
  broker.reportsStalledUntil = Math.max(broker.reportsStalledUntil, clock.now + clock.random() * 12_000);
}

/** The network fails by and by: first its reports are lost, then it cannot read the log either, and it works on. */
function cutOff({ clock }: SimFleet, process: SimCoordinator | SimRunner): void {
  const until = clock.now + 8_000 + clock.random() * 4_000;
  process.mutedUntil = until;
  process.reader.deaf = { from: clock.now + clock.random() * 7_000, until };
}

/** Its reports are lost while it reads and works. */
function mute({ clock }: SimFleet, process: SimCoordinator | SimRunner): void {
  process.mutedUntil = clock.now + clock.random() * 12_000;
}

/** It ends in good order: runners release their tasks, a leader resigns. */
function leave(_: SimFleet, process: SimCoordinator | SimRunner): void {
  if (process instanceof SimRunner) process.leave();
  else process.stop();
}

/** The broker, or something between, forgets the pull that it holds: the log is not read while proofs are answered. */
function silenceReader(_: SimFleet, process: SimCoordinator | SimRunner): void {
  process.reader.isReaderSilent = true;
}

/** The next entry is one that it cannot decode. A single coordinator can decode what it wrote itself, before a restart too. */
function blind({ coordinators }: SimFleet, process: SimCoordinator | SimRunner): void {
  if (coordinators.length > 1 || process instanceof SimRunner) process.reader.blindAt = process.reader.node.nextOffset;
}

/** Its machine is suspended: its monotonic clock stops. */
function suspend({ clock }: SimFleet, process: SimCoordinator | SimRunner): void {
  process.suspend(clock.random() * 15_000);
}

function startDouble(fleet: SimFleet): void {
  const runner = fleet.clock.pick(fleet.runners);
  if (runner !== undefined && fleet.broker.isLogThere) fleet.double(runner.nodeId);
}

function loseHead({ broker, truth }: SimFleet): void {
  truth.follow();
  const { snapshot } = truth.state;
  if (snapshot === undefined || snapshot.doneOffset > broker.log.length - RETAINED_ENTRIES) return;
  broker.loseHead(snapshot.asOf.offset + 1);
}

/**
 * The broker dies, and comes back without the last entries: it had not flushed or replicated them. Now and then they reach back to the claim in
 * force, or to the last suspicion.
 */
function loseTail({ clock, broker, isUpgrade }: SimFleet): void {
  const fate = clock.random();
  const aim = fate < 0.25 ? 'claimed' : fate < 0.5 ? 'member.suspected' : undefined;
  const aimed = aim && broker.log.findLast(({ entry }) => entry.event.kind === aim);
  const some = broker.log.length - 1 - Math.floor(clock.random() * MAX_LOST_ENTRIES);
  if (!isUpgrade && loseFrom(broker, aimed?.offset ?? some))
    broker.stalledUntil = Math.max(broker.stalledUntil, clock.now + clock.random() * 3_000);
}

/** Cuts the log back to what stands before an offset; false where that reaches back further than a broker may lose. */
function loseFrom(broker: SimBroker, offset: number): boolean {
  const least = broker.minOffset === 0 ? broker.leastEntries : broker.minOffset + RETAINED_ENTRIES;
  const isPossible = offset >= Math.max(least, broker.log.length - MOST_LOST_ENTRIES) && offset < broker.log.length;
  if (isPossible) broker.loseTail(broker.log.length - offset);
  return isPossible;
}

/** Entries that assign tasks are lost when some runners have read them and are suspended at that very moment. */
function loseAssignment(fleet: SimFleet): void {
  const { broker, clock } = fleet;
  if (fleet.isUpgrade) return;
  broker.afterNext('tasks.assigned', ({ offset }) => {
    clock.after(clock.random() * 300, () => {
      freeze(fleet);
      if (loseFrom(broker, offset) && clock.random() < 0.3) resignSoon(fleet);
    });
  });
}

/**
 * A runner is cut off and expires. When its tasks are given to others, the log loses that, now and then with the suspicion; the leader dies, and the
 * runner is back.
 */
function loseExpiry(fleet: SimFleet, process: SimCoordinator | SimRunner): void {
  const { broker, clock } = fleet;
  if (fleet.isUpgrade || !(process instanceof SimRunner)) return;
  const until = clock.now + 14_000;
  process.mutedUntil = until;
  process.reader.deaf = { from: clock.now, until };
  const isSuspicionLost = clock.random() < 0.5;
  let suspectedAt: number | undefined;
  broker.afterNext('member.suspected', ({ offset }) => (suspectedAt = offset));
  broker.afterNext('member.left', ({ offset: leftAt }) => {
    broker.afterNext('tasks.assigned', () => {
      clock.after(30 + clock.random() * 300, () => {
        freeze(fleet);
        if (!loseFrom(broker, isSuspicionLost ? (suspectedAt ?? leftAt) : leftAt)) return;
        for (const each of fleet.coordinators) if (each.isLeader && clock.random() < 0.7) each.isDead = true;
        process.mutedUntil = 0;
        process.reader.deaf = { from: 0, until: 0 };
        if (clock.random() < 0.3) resignSoon(fleet);
      });
    });
  });
}

/**
 * The leader is suspended, alone or with its whole machine, when it has decided something or has written it. Another one claims and assigns
 * tasks; the log loses that, and the first leader is back.
 */
function supplant(fleet: SimFleet): void {
  const { broker, clock, coordinators, isUpgrade } = fleet;
  const leader = coordinators.find((each) => each.isLeader && !each.isDead);
  if (isUpgrade || leader === undefined) return;
  const standStill = (): void => {
    const forMs = 8_000 + clock.random() * 6_000;
    if (clock.random() < 0.5) leader.suspend(forMs);
    else leader.pausedUntil = clock.now + forMs;
    let claimedAt: number | undefined;
    let hasGiven = false;
    broker.afterNext('claimed', ({ offset }) => {
      claimedAt = offset;
      broker.afterNext('tasks.assigned', () => (hasGiven = true));
    });
    clock.after(forMs - 20, () => {
      if (!hasGiven || claimedAt === undefined) return;
      freeze(fleet);
      loseFrom(broker, claimedAt);
    });
  };
  const kind = clock.pick(['tasks.assigned', 'tasks.released', 'tasks.configured', 'member.suspected'] as const);
  if (kind === undefined) return;
  if (clock.random() < 0.5) leader.standsStillBefore = { kind, act: standStill };
  else broker.afterNext(kind, standStill);
}

/** Suspends some runners: whatever they do after that they do by what they know now. */
function freeze({ clock, runners }: SimFleet): void {
  for (const runner of runners) if (clock.random() < 0.5) runner.pausedUntil = clock.now + clock.random() * 5_000;
}

/** Who takes the lead next resigns soon. */
function resignSoon({ clock, broker, coordinators }: SimFleet): void {
  broker.afterNext('claimed', ({ entry: { event } }) => {
    if (event.kind !== 'claimed') return;
    clock.after(clock.random() * 500, () => {
      coordinators.find(({ incarnation }) => incarnation === event.incarnation)?.stop();
    });
  });
}

function recreateCommands({ broker }: SimFleet): void {
  broker.recreateCommands();
}

function recreateReports({ broker }: SimFleet): void {
  broker.recreateReports();
}
