import { defaultCoordinatorSettings } from '@sluice/core';
import { MAX_ARRIVAL_GAPS } from '@sluice/connector-verify';
import { brokerTimes, disturbancesOf, overlaps, runningSince } from './disturbances.js';
import type { Figure } from './figure.js';
import type { AppliedFault, Interval, Observations, Pipeline, TaskSighting } from './observations.js';
import { staysOf, type Stay } from './task-history.js';

const { leaseMs, sessionMs } = defaultCoordinatorSettings;
/** On top of session or lease. */
const GRACE_MS = 2000;
/** The longest gap of a task that nothing happened to, without the stalls of the machine. */
const GAP_MS = 500;
/** A standby waits up to a quarter of the lease more before it claims. */
const claimMs = leaseMs * 1.25;
/** Faults within this time of each other are judged together. */
const togetherMs = sessionMs + GRACE_MS;

/** What happened in a run, in figures. `concernedGapMs`: the longest that tasks may pause that something happened to. */
export function judge(observed: Observations, limits: { readonly concernedGapMs?: number } = {}): readonly Figure[] {
  const stays = staysOf(observed.entries);
  return [
    ...recordFigures(observed.pipelines),
    ...workerFigures(observed, stays),
    ...leaderFigures(observed),
    needlessStops(observed, stays),
    unaskedEnds(observed),
    ...gapFigures(observed, stays, limits.concernedGapMs),
  ];
}

function recordFigures(pipelines: readonly Pipeline[]): readonly Figure[] {
  const countOf = (name: string, of: (verdict: Pipeline['verdict']) => number, limit?: number): Figure => ({
    name,
    unit: 'count',
    value: pipelines.reduce((sum, { verdict }) => sum + of(verdict), 0),
    ...(limit === undefined ? {} : { limit }),
    details: pipelines
      .filter(({ verdict }) => of(verdict) > (limit ?? Infinity))
      .map(({ sink, verdict }) => `${sink}: ${JSON.stringify({ ...verdict, arrivalGaps: [] })}`),
  });
  return [
    countOf('records', ({ records }) => records),
    countOf('records lost', ({ missing, keys }) => Math.max(missing, keys.missing), 0),
    countOf('records duplicated', ({ duplicates, keys }) => Math.max(duplicates, keys.duplicates), 0),
    countOf('records out of order or damaged', (found) => found.outOfOrder + found.damaged + found.undecided, 0),
    countOf('records not tracked', ({ untracked }) => untracked, 0),
  ];
}

/** How long the tasks of killed runners did not run. */
function workerFigures(observed: Observations, stays: readonly Stay[]): readonly Figure[] {
  const outages = observed.faults
    .filter(({ fault }) => fault.kind === 'kill' && fault.target.endsWith('runner'))
    .flatMap((fault) => outagesAfter(fault, stays, observed.sightings).map((outage) => ({ ...outage, fault })));
  const alone = outages.filter(({ fault }) => othersNear(fault, observed.faults).length === 0);
  const together = outages.filter(({ fault }) => othersNear(fault, observed.faults).length > 0);
  const limit = sessionMs + GRACE_MS;
  return [
    ...longest("a killed runner's tasks run again", alone, limit),
    ...longest(
      '... when other faults came with it, beyond what these explain',
      together.map((outage) => ({ ...outage, ms: outage.ms - delayBy(othersNear(outage.fault, observed.faults)) })),
      limit,
    ),
    { name: 'tasks of killed runners', unit: 'count', value: outages.length, details: [] },
  ];
}

interface Outage {
  readonly ms: number;
  readonly what: string;
}

function outagesAfter({ nodeId, fromMs }: AppliedFault, stays: readonly Stay[], sightings: readonly TaskSighting[]): readonly Outage[] {
  const held = stays.filter((stay) => stay.nodeId === nodeId && stay.fromMs <= fromMs && fromMs < stay.toMs);
  return held.map(({ id: { connector, index }, generation }) => {
    const later = stays.filter((stay) => stay.id.connector === connector && stay.id.index === index);
    const again = later.filter((stay) => stay.generation > generation).map((stay) => runningSince(sightings, connector, stay.generation));
    const ms = Math.min(Infinity, ...again) - fromMs;
    return { ms, what: `${connector}-${index} of ${nodeId}, killed at ${timeOf(fromMs)}: ${ms.toFixed(0)} ms` };
  });
}

/** Other faults that can delay what follows on one: those of the control plane, of the broker, and of runners of the same role. */
function othersNear(fault: AppliedFault, faults: readonly AppliedFault[]): readonly AppliedFault[] {
  const near = { fromMs: fault.fromMs - togetherMs, toMs: fault.fromMs + togetherMs };
  return faults.filter((other) => {
    if (other === fault) return false;
    const { target } = other.fault;
    const matters = target === 'leader' || target === 'broker' || target === fault.fault.target;
    return matters && overlaps(other.fault.kind === 'restart' ? other : { ...other, toMs: other.fromMs }, near);
  });
}

/** A new leader comes after the lease and grants everyone a session. A runner that got the tasks and died too costs a session, the broker its restart. */
function delayBy(others: readonly AppliedFault[]): number {
  return others.reduce((sum, { fault, fromMs, toMs }) => {
    if (fault.target === 'broker') return sum + (toMs - fromMs) + claimMs + sessionMs;
    return sum + sessionMs + (fault.target === 'leader' ? claimMs : GRACE_MS);
  }, 0);
}

function leaderFigures({ faults, probes }: Observations): readonly Figure[] {
  const answered = (kind: string): readonly Outage[] =>
    faults
      .filter((fault) => fault.fault.kind === kind && fault.fault.target === 'leader')
      .filter((fault) => !isNearBroker(fault, faults))
      .map(({ nodeId, fromMs }) => {
        const after = probes.filter(({ sentMs, status }) => sentMs >= fromMs && status === 200);
        const ms = Math.min(Infinity, ...after.map(({ answeredMs }) => answeredMs)) - fromMs;
        return { ms, what: `leader ${nodeId}, ${kind} at ${timeOf(fromMs)}: ${ms.toFixed(0)} ms` };
      });
  const failed = probes.filter(({ status }) => status !== 200 && status !== 503);
  return [
    ...longest("a killed leader's successor answers commands", answered('kill'), leaseMs + GRACE_MS),
    ...longest('... after a leader that is suspended', answered('stop'), leaseMs + GRACE_MS),
    ...longest('... after SIGTERM of a leader', answered('terminate'), leaseMs + GRACE_MS),
    {
      name: 'commands answered neither with their result nor with 503',
      unit: 'count',
      value: failed.length,
      limit: 0,
      details: failed.map(({ sentMs, answeredMs, status }) => {
        return `sent at ${timeOf(sentMs)}: ${status} after ${answeredMs - sentMs} ms`;
      }),
    },
  ];
}

function isNearBroker(fault: AppliedFault, faults: readonly AppliedFault[]): boolean {
  return brokerTimes(faults).some((time) => overlaps(time, { ...fault, toMs: fault.fromMs + leaseMs + GRACE_MS }));
}

/** Tasks that stopped though neither their worker nor the balance of tasks was a reason. */
function needlessStops({ faults, sightings, pipelines, beganMs, endedMs }: Observations, stays: readonly Stay[]): Figure {
  const ended = stays.filter((stay) => stay.toMs >= beganMs && stay.toMs < endedMs && !isExplained(stay, faults));
  const connectors = pipelines.flatMap(({ source, sink }) => [source, sink]);
  const halted = connectors.flatMap((connector) => {
    const disturbed = disturbancesOf(connector, stays, faults, sightings);
    return sightings.filter((seen) => {
      if (seen.seenMs >= endedMs) return false;
      const at = { fromMs: seen.sinceMs ?? seen.seenMs, toMs: seen.seenMs };
      return seen.connector === connector && seen.state !== 'RUNNING' && !disturbed.some((time) => overlaps(time, at));
    });
  });
  return {
    name: 'tasks of unconcerned workers that stopped',
    unit: 'count',
    value: ended.length + halted.length,
    limit: 0,
    details: [
      ...ended.map(({ id, nodeId, generation, end, toMs }) => {
        return `${id.connector}-${id.index} of ${nodeId}, generation ${generation}, ended at ${timeOf(toMs)}: ${end ?? ''}`;
      }),
      ...halted.map((seen) => `${timeOf(seen.seenMs)} ${JSON.stringify(seen)}`),
    ],
  };
}

/** The worker was struck, or the numbers of tasks were uneven, or the broker was down and the outcome of sends unknown. */
function isExplained({ nodeId, end, toMs }: Stay, faults: readonly AppliedFault[]): boolean {
  if (end === 'moved') return true;
  const at = { fromMs: toMs, toMs };
  const struck = faults.filter((fault) => fault.nodeId === nodeId);
  if (struck.some((fault) => overlaps(at, { ...fault, toMs: fault.toMs + togetherMs }))) return true;
  return end === 'restarted' && brokerTimes(faults).some((time) => overlaps(time, at));
}

function unaskedEnds({ unaskedEnds: ends }: Observations): Figure {
  const details = ends.map(({ nodeId, atMs, lastWords }) => `${timeOf(atMs)} ${nodeId}: ${lastWords}`);
  return { name: 'processes that ended by themselves', unit: 'count', value: ends.length, limit: 0, details };
}

function gapFigures(
  { faults, sightings, stalls, pipelines, beganMs, endedMs }: Observations,
  stays: readonly Stay[],
  concernedGapMs: number | undefined,
): readonly Figure[] {
  const judged = pipelines.map((pipeline) => {
    const disturbed = [pipeline.source, pipeline.sink].flatMap((connector) => disturbancesOf(connector, stays, faults, sightings));
    return { pipeline, ...splitGaps(pipeline, { fromMs: beganMs, toMs: endedMs }, disturbed) };
  });
  const stallMs = Math.max(0, ...stalls.map(lengthOf));
  const asOutages = (kind: 'quiet' | 'disturbed'): readonly Outage[] =>
    judged.flatMap(({ pipeline, [kind]: gaps }) => gaps.map((gap) => gapOf(pipeline, gap)));
  const unlisted = judged.flatMap(({ pipeline, unlistedMs }) =>
    unlistedMs === 0 ? [] : [{ ms: unlistedMs, what: `${pipeline.sink}: shorter than the hundred gaps it lists` }],
  );
  return [
    { name: 'longest stall of the control process', unit: 'ms', value: stallMs, details: [] },
    ...longest('longest gap of tasks of unconcerned workers', [...asOutages('quiet'), ...unlisted], GAP_MS + stallMs),
    ...longest('longest gap of concerned tasks', [...asOutages('disturbed'), ...unlisted], concernedGapMs),
  ];
}

/** `unlistedMs`: what a gap that is not listed may have been at most. */
function splitGaps(
  { verdict: { arrivalGaps } }: Pipeline,
  watched: Interval,
  disturbed: readonly Interval[],
): { readonly quiet: readonly Interval[]; readonly disturbed: readonly Interval[]; readonly unlistedMs: number } {
  const isDisturbed = (gap: Interval): boolean => disturbed.some((time) => overlaps(time, gap));
  const gaps = arrivalGaps.filter(({ fromMs }) => fromMs >= watched.fromMs && fromMs < watched.toMs);
  return {
    quiet: gaps.filter((gap) => !isDisturbed(gap)),
    disturbed: gaps.filter(isDisturbed),
    unlistedMs: arrivalGaps.length < MAX_ARRIVAL_GAPS ? 0 : Math.min(...arrivalGaps.map(lengthOf)),
  };
}

function gapOf({ sink }: Pipeline, gap: Interval): Outage {
  return { ms: lengthOf(gap), what: `${sink} from ${timeOf(gap.fromMs)}: ${lengthOf(gap).toFixed(0)} ms` };
}

function lengthOf({ fromMs, toMs }: Interval): number {
  return toMs - fromMs;
}

/** Nothing where nothing was measured. */
function longest(name: string, outages: readonly Outage[], limit?: number): readonly Figure[] {
  const sorted = [...outages].sort((left, right) => right.ms - left.ms);
  if (sorted[0] === undefined) return [];
  const value = Math.max(0, sorted[0].ms);
  const details = sorted.filter(({ ms }) => limit === undefined || ms > limit).map(({ what }) => what);
  return [{ name, unit: 'ms', value, ...(limit === undefined ? {} : { limit }), details }];
}

/** Like the times in the logs of the processes. */
function timeOf(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : String(ms);
}
