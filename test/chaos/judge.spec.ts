import { describe, expect, it } from '@jest/globals';
import type { LogEvent, ReadEntry } from '@sluice/core';
import { MAX_ARRIVAL_GAPS, type Verdict } from '@sluice/connector-verify';
import type { FaultKind, FaultTarget } from './fault-plan.js';
import { figureLines, isMet, type Figure } from './figure.js';
import { judge } from './judge.js';
import type { AppliedFault, Observations, Pipeline, TaskSighting } from './observations.js';

const beganMs = 1_000_000;
/** Two pipelines, `a` and `b`; the source of `a` is on s1, all else on others, and nothing happens. */
const entry = (at: number, event: LogEvent, seq: number): ReadEntry => ({
  offset: seq,
  digest: String(seq),
  entry: { logId: 'log', epoch: 1, claimId: 'claim', seq, prevDigest: '', at, event },
});
const put = (name: string, type: 'source' | 'sink'): LogEvent => {
  return { kind: 'connector.put', name, type, config: {}, targetState: 'RUNNING' };
};
const joined = (nodeId: string, role: 'source-runner' | 'sink-runner'): LogEvent => {
  return { kind: 'member.joined', member: { nodeId, incarnation: '1', role, capacity: 1, plugins: [] } };
};
const left = (nodeId: string): LogEvent => ({ kind: 'member.left', nodeId, incarnation: '1', reason: 'expired' });
const given = (connector: string, nodeId: string): LogEvent => {
  return { kind: 'tasks.assigned', tasks: [{ connector, index: 0, nodeId, incarnation: '1' }] };
};
const begin: readonly LogEvent[] = [
  ...['a', 'b'].flatMap((name) => [put(`${name}-in`, 'source'), put(`${name}-out`, 'sink')]),
  joined('s1', 'source-runner'),
  joined('s2', 'source-runner'),
  joined('k1', 'sink-runner'),
  given('a-in', 's1'),
  given('b-in', 's2'),
  given('a-out', 'k1'),
  given('b-out', 'k1'),
];
const firstGeneration: Readonly<Record<string, number>> = { 'a-in': 7, 'b-in': 8, 'a-out': 9, 'b-out': 10 };

const running = (connector: string, generation: number, sinceMs: number): TaskSighting => {
  return { connector, task: 0, state: 'RUNNING', workerId: '', generation, sinceMs, seenMs: sinceMs + 500 };
};
const verdict = (found: Partial<Verdict> = {}): Verdict => ({
  complete: true,
  clean: true,
  records: 10,
  missing: 0,
  duplicates: 0,
  outOfOrder: 0,
  undecided: 0,
  damaged: 0,
  untracked: 0,
  keys: { count: 1, missing: 0, duplicates: 0, outOfOrder: 0, undecided: 0 },
  partitions: [],
  missingRanges: [],
  largestArrivalGapMs: 0,
  arrivalGaps: [],
  examples: [],
  ...found,
});
const pipeline = (name: string, found: Partial<Verdict> = {}): Pipeline => {
  return { source: `${name}-in`, sink: `${name}-out`, verdict: verdict(found) };
};
const gap = (fromMs: number, ms: number): Verdict['arrivalGaps'][number] => {
  return { queue: 'q', fromMs: beganMs + fromMs, toMs: beganMs + fromMs + ms };
};
const fault = (kind: FaultKind, target: FaultTarget, nodeId: string, fromMs: number, ms: number): AppliedFault => ({
  fault: { kind, target, index: 0, atMs: fromMs, awayMs: ms },
  nodeId,
  isLeader: target === 'leader',
  fromMs: beganMs + fromMs,
  toMs: beganMs + fromMs + ms,
});

/** @param later what the log says besides, with its time after the beginning */
function observed(
  seen: Partial<Observations>,
  later: readonly (readonly [number, LogEvent])[] = [],
  sightings: readonly TaskSighting[] = [],
): Observations {
  const events = [...begin.map((event) => [-10_000, event] as const), ...later];
  return {
    beganMs,
    endedMs: beganMs + 600_000,
    faults: [],
    probes: [],
    stalls: [],
    unaskedEnds: [],
    pipelines: [pipeline('a'), pipeline('b')],
    entries: events.map(([at, event], seq) => entry(beganMs + at, event, seq)),
    ...seen,
    sightings: [...Object.entries(firstGeneration).map(([name, generation]) => running(name, generation, beganMs - 9000)), ...sightings],
  };
}
const figure = (name: string, figures: readonly Figure[]): Figure => {
  const found = figures.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no figure ${name} among ${figures.map((each) => each.name).join('; ')}`);
  return found;
};
const missed = (figures: readonly Figure[]): readonly string[] => figures.filter((each) => !isMet(each)).map(({ name }) => name);

describe('the judge', () => {
  it('misses nothing in a quiet run', () => {
    expect(missed(judge(observed({})))).toEqual([]);
  });

  it('counts what was lost, duplicate and damaged', () => {
    const bad = pipeline('a', { missing: 3, duplicates: 2, damaged: 1 });
    const figures = judge(observed({ pipelines: [bad, pipeline('b')] }));
    expect(missed(figures)).toEqual(['records lost', 'records duplicated', 'records out of order or damaged']);
    expect(figure('records lost', figures).value).toBe(3);
  });

  const name = "a killed runner's tasks run again";
  const kill = fault('kill', 'source-runner', 's1', 0, 12_000);
  const lost = [
    [6000, left('s1')],
    [6000, given('a-in', 's2')],
  ] as const;
  /** Generation of the second assignment. */
  const next = begin.length + 1;

  it('measures from the kill to the running of the task elsewhere', () => {
    const ran = (ms: number): Figure => figure(name, judge(observed({ faults: [kill] }, lost, [running('a-in', next, beganMs + ms)])));
    expect(ran(8000)).toMatchObject({ value: 8000, limit: 8000 });
    expect(isMet(ran(8000))).toBe(true);
    expect(isMet(ran(8001))).toBe(false);
    expect(isMet(ran(8001), 1.5)).toBe(true);
  });

  it('misses the limit where a task never runs again', () => {
    const figures = judge(observed({ faults: [kill] }, lost));
    expect(figure(name, figures).value).toBe(Infinity);
    expect(missed(figures)).toContain(name);
    expect(figureLines(figures).join('\n')).toContain('a-in-0 of s1, killed at');
  });

  it('allows more only as far as a fault that came with it explains it', () => {
    const leader = fault('kill', 'leader', 'c1', 5000, 3000);
    const after = (ms: number): readonly string[] =>
      missed(
        judge(
          observed(
            {
              faults: [kill, leader],
              probes: [{ sentMs: beganMs + 5000, answeredMs: beganMs + 6000, status: 200 }],
            },
            lost,
            [running('a-in', next, beganMs + ms)],
          ),
        ),
      );
    expect(after(8000 + 9750)).toEqual([]);
    expect(after(8000 + 9751)).toEqual(['... when other faults came with it, beyond what these explain']);
  });

  it('measures when the first command after the death of a leader is answered with its result', () => {
    const killed = fault('kill', 'leader', 'c1', 0, 1000);
    const probe = (sentMs: number, answeredMs: number, status: number): Observations['probes'][number] => {
      return { sentMs: beganMs + sentMs, answeredMs: beganMs + answeredMs, status };
    };
    const probes = [probe(-100, 10, 200), probe(100, 3900, 200), probe(50, 200, 503)];
    const figures = judge(observed({ faults: [killed], probes }));
    expect(figure("a killed leader's successor answers commands", figures)).toMatchObject({ value: 3900, limit: 5000 });
    expect(missed(figures)).toEqual([]);
    const unanswered = judge(observed({ faults: [killed], probes: [probe(100, 90_000, 500)] }));
    expect(missed(unanswered)).toEqual([
      "a killed leader's successor answers commands",
      'commands answered neither with their result nor with 503',
    ]);
  });

  it('finds tasks that stopped though nothing happened to their workers', () => {
    const stopped = 'tasks of unconcerned workers that stopped';
    const expired = judge(observed({}, lost, [running('a-in', next, beganMs + 6500)]));
    expect(figure(stopped, expired).value).toBe(1);
    const restarting = { ...running('b-in', 8, beganMs + 100), state: 'RESTARTING' };
    expect(figure(stopped, judge(observed({}, [], [restarting]))).value).toBe(1);
    const struck = judge(observed({ faults: [kill] }, lost, [running('a-in', next, beganMs + 6500)]));
    expect(figure(stopped, struck).value).toBe(0);
  });

  describe('of gaps', () => {
    const quiet = 'longest gap of tasks of unconcerned workers';
    const faults = [kill];
    const ran = [running('a-in', next, beganMs + 6500)];
    const gapsOf = (a: Verdict['arrivalGaps'], b: Verdict['arrivalGaps']): readonly Figure[] => {
      const pipelines = [pipeline('a', { arrivalGaps: a }), pipeline('b', { arrivalGaps: b })];
      const stalls = [{ fromMs: beganMs, toMs: beganMs + 100 }];
      return judge(observed({ faults, pipelines, stalls }, lost, ran));
    };

    it('leaves those of concerned tasks out', () => {
      const figures = gapsOf([gap(10, 6600)], [gap(200, 590)]);
      expect(figure(quiet, figures)).toMatchObject({ value: 590, limit: 600 });
      expect(figure('longest gap of concerned tasks', figures).value).toBe(6600);
      expect(missed(figures)).toEqual([]);
    });

    it('counts those of the others at the same time, and those of the same tasks at other times', () => {
      expect(missed(gapsOf([], [gap(200, 601)]))).toEqual([quiet]);
      expect(missed(gapsOf([gap(8600, 601)], []))).toEqual([quiet]);
      expect(missed(gapsOf([gap(8400, 601)], []))).toEqual([]);
    });

    it('concerns all by a restart of the broker', () => {
      const broker = fault('restart', 'broker', 'broker', 0, 5000);
      const pipelines = [pipeline('a', { arrivalGaps: [gap(100, 9000)] })];
      expect(missed(judge(observed({ faults: [broker], pipelines })))).toEqual([]);
    });

    it('takes the shortest that is listed for what is not listed', () => {
      const full = Array.from({ length: MAX_ARRIVAL_GAPS }, (_, index) => gap(-10, 700 + index));
      expect(figure(quiet, gapsOf(full, [])).value).toBe(700);
      expect(gapsOf(full.slice(1), []).map((each) => each.name)).not.toContain(quiet);
    });

    it('limits those of concerned tasks where that is asked for', () => {
      const pipelines = [pipeline('a', { arrivalGaps: [gap(0, 2001)] })];
      const figures = judge(observed({ faults, pipelines }, lost, ran), { concernedGapMs: 2000 });
      expect(missed(figures)).toEqual(['longest gap of concerned tasks']);
    });
  });
});
