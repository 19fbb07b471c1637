import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ReportAssembler } from './report-assembler.js';
import { ReportWriter, reportLimits } from './report-writer.js';
import { MalformedMessageError } from '../protocol-error.js';
import { encodeBeat } from './beat.codec.js';
import { decodeReportsMessage, encodeReportMessage, type ReportMessage, type ReportShape } from './report.codec.js';

interface TestReport extends ReportShape {
  readonly tasks: readonly {
    readonly id: { readonly connector: string; readonly index: number };
    readonly state: string;
    readonly trace?: string;
    readonly counters: Readonly<Record<string, number>>;
  }[];
  readonly plugins: readonly string[];
  readonly supersedes?: string;
}

type TestTask = TestReport['tasks'][number];

const base = { nodeId: 'n1', incarnation: 'n1#1', role: 'source-runner', leaving: false, plugins: ['Files'] };

function reportOf(reportSeq: number, tasks: readonly TestTask[], more: Partial<TestReport> = {}): TestReport {
  return { ...base, reportSeq, sentAt: reportSeq * 1000, appliedSeq: reportSeq, tasks, ...more };
}

function task(connector: string, more: Partial<TestTask> = {}): TestTask {
  return { id: { connector, index: 0 }, state: 'RUNNING', counters: { records: 1 }, ...more };
}

const decoded = (body: Buffer): ReportMessage<TestReport> => {
  const message = decodeReportsMessage<TestReport>(body);
  if (message.kind === 'probe') throw new Error('a probe');
  return message;
};

/** Sorted by task: their order means nothing. */
const sorted = (report: TestReport | undefined): unknown =>
  report && { ...report, tasks: [...report.tasks].sort((a, b) => (a.id.connector < b.id.connector ? -1 : 1)) };

/** Sends reports one second after the other, as they are heard; `isLost` names those that do not arrive. */
function heardOf(
  reports: readonly TestReport[],
  {
    isLost = () => false,
    isNoticed = true,
    limits = reportLimits,
  }: {
    readonly isLost?: (report: TestReport) => boolean;
    readonly isNoticed?: boolean;
    readonly limits?: typeof reportLimits;
  } = {},
) {
  const writer = new ReportWriter<TestReport>(limits);
  const assembler = new ReportAssembler<TestReport>();
  const kinds: string[] = [];
  const heard = reports.map((report) => {
    const bodies = writer.messagesOf(report, report.sentAt, true, 1000);
    if (isLost(report)) {
      if (isNoticed) writer.forget();
      return undefined;
    }
    const found = bodies.map((body) => {
      const message = decoded(body);
      kinds.push(message.kind);
      return assembler.take(message, report.sentAt);
    });
    expect(found.slice(0, -1)).toEqual(found.slice(0, -1).map(() => undefined));
    return found.at(-1);
  });
  return { heard, kinds };
}

const anyTasks = fc.uniqueArray(
  fc.record({
    id: fc.record({ connector: fc.constantFrom('a', 'b', 'c d', 'e"}]'), index: fc.constant(0) }),
    state: fc.constantFrom('RUNNING', 'FAILED'),
    counters: fc.constant({ records: 1 }),
  }),
  { selector: ({ id }) => id.connector },
);
const anyReports = fc
  .array(fc.record({ tasks: anyTasks, plugins: fc.array(fc.string(), { maxLength: 2 }) }), { maxLength: 30 })
  .map((all) => all.map(({ tasks, plugins }, at) => reportOf(at + 1, tasks, { plugins })));

describe('report messages', () => {
  it('give every report again, whole or as what is new', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const { heard, kinds } = heardOf(reports);
        expect(heard.map(sorted)).toEqual(reports.map(sorted));
        expect(kinds[0] ?? 'report').toBe('report');
      }),
    );
  });

  it('give every report again in parts', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const { heard } = heardOf(reports, { limits: { ...reportLimits, maxTaskBytes: 100 } });
        expect(heard.map(sorted)).toEqual(reports.map(sorted));
      }),
    );
  });

  it('never mix what was missed into a report: the last whole one stays, with the new number and time', () => {
    fc.assert(
      fc.property(anyReports, fc.infiniteStream(fc.boolean()), fc.boolean(), (reports, losses, isNoticed) => {
        const lost = new Set(reports.filter(() => losses.next().value === true));
        const { heard } = heardOf(reports, { isLost: (report) => lost.has(report), isNoticed });
        let last: TestReport | undefined;
        for (const [at, found] of heard.entries()) {
          const report = reports[at]!;
          if (found === undefined) continue;
          expect(lost.has(report)).toBe(false);
          expect(found).toMatchObject({ reportSeq: report.reportSeq, sentAt: report.sentAt });
          if (found.appliedSeq === report.appliedSeq) {
            expect(sorted(found)).toEqual(sorted(report));
            last = report;
          } else {
            expect(isNoticed).toBe(false);
            expect(sorted(found)).toEqual(sorted({ ...last!, reportSeq: report.reportSeq, sentAt: report.sentAt }));
          }
        }
      }),
    );
  });

  it('take a hundred bytes each second where only counters change, and tell those with all else once a minute', () => {
    const writer = new ReportWriter<TestReport>();
    const assembler = new ReportAssembler<TestReport>();
    const sizes: number[] = [];
    for (let second = 1; second <= 121; second += 1) {
      const tasks = Array.from({ length: 100 }, (_, at) =>
        task(`connector-${at}`, { counters: { records: second * (997 + at), idle: 0 } }),
      );
      const bodies = writer.messagesOf(reportOf(second, tasks), second * 1_000, true, 1000);
      sizes.push(bodies.reduce((sum, { length }) => sum + length, 0));
      const heard = bodies.map((body) => assembler.take(decoded(body), second * 1_000)).at(-1)!;
      const told = second - ((second - 1) % 60);
      expect([heard.reportSeq, heard.appliedSeq]).toEqual([second, second]);
      expect(heard.tasks[1]!.counters).toEqual({ records: told * 998 });
    }
    const whole = sizes.filter((size) => size > 120);
    expect(whole).toHaveLength(3);
    expect(Math.max(...whole)).toBeLessThan(3_000);
  });

  it('are sent as a whole ten seconds after a task has changed', () => {
    const writer = new ReportWriter<TestReport>();
    const kinds = Array.from({ length: 30 }, (_, second) => {
      const tasks = [task('a', { state: second < 5 ? 'RUNNING' : 'FAILED' })];
      return decoded(writer.messagesOf(reportOf(second + 1, tasks), second * 1_000, true, 1000)[0]!).kind;
    });
    const at = (kind: string): number[] => kinds.flatMap((each, second) => (each === kind ? [second] : []));
    expect([at('report'), at('report.delta')]).toEqual([[0, 15], [5]]);
  });

  it('that say nothing new leave the list of tasks as it was', () => {
    const writer = new ReportWriter<TestReport>();
    const assembler = new ReportAssembler<TestReport>();
    const heard = [1, 2, 3].map((seq) => {
      const report = reportOf(seq, [task('a')], seq === 3 ? { plugins: ['More'] } : {});
      return assembler.take(decoded(writer.messagesOf(report, seq * 1_000, true, 1000)[0]!), 0)!;
    });
    expect(heard[1]!.tasks).toBe(heard[0]!.tasks);
    expect(heard[2]!.tasks).toBe(heard[0]!.tasks);
    expect(heard[2]!.plugins).toEqual(['More']);
  });

  it('say all again after 60 intervals, however long those are', () => {
    const kindAfter = (intervalMs: number, passedMs: number): string => {
      const writer = new ReportWriter<TestReport>();
      writer.messagesOf(reportOf(1, [task('a')]), 0, true, intervalMs);
      return decoded(writer.messagesOf(reportOf(2, [task('a')]), passedMs, true, intervalMs)[0]!).kind;
    };
    expect([kindAfter(1000, 59_999), kindAfter(1000, 60_000)]).toEqual(['report.beat', 'report']);
    expect([kindAfter(2000, 119_999), kindAfter(2000, 120_000)]).toEqual(['report.beat', 'report']);
  });

  it('that say all again and are the same give the list of tasks that is known, also after a change and back', () => {
    const writer = new ReportWriter<TestReport>();
    const assembler = new ReportAssembler<TestReport>();
    const tasks = Array.from({ length: 50 }, (_, at) => task(`connector-${at}`));
    const told = (seq: number, nowMs: number, told: readonly TestTask[]): TestReport => {
      const [body] = writer.messagesOf(reportOf(seq, told), nowMs, true, 1000);
      const heard = assembler.read(body!, nowMs);
      if (heard.kind !== 'report') throw new Error(heard.kind);
      expect(sorted(heard.report)).toEqual(sorted(reportOf(seq, told)));
      return heard.report;
    };
    const first = told(1, 0, tasks);
    const second = told(2, 60_000, tasks);
    expect(second.tasks).toBe(first.tasks);
    const failed = [task('connector-0', { state: 'FAILED' }), ...tasks.slice(1)];
    told(3, 61_000, failed);
    told(4, 75_000, failed);
    told(5, 76_000, tasks);
    told(6, 90_000, tasks);
    expect(told(7, 150_001, tasks).tasks).not.toBe(first.tasks);
    expect(assembler.read(writer.messagesOf(reportOf(7, tasks), 150_002, true, 1000)[0]!, 0)).toEqual({
      kind: 'alive',
      nodeId: 'n1',
      incarnation: 'n1#1',
      reportSeq: 7,
    });
  });

  it('never take the tasks of one incarnation for those of another', () => {
    const assembler = new ReportAssembler<TestReport>();
    const tasks = Array.from({ length: 50 }, (_, at) => task(`connector-${at}`));
    const lists = ['n1#1', 'n1#2'].map((incarnation) => {
      const report = reportOf(1, tasks, { incarnation });
      const heard = assembler.read(new ReportWriter<TestReport>().messagesOf(report, 0, true, 1000)[0]!, 0);
      return heard.kind === 'report' ? heard.report : undefined;
    });
    expect(lists.map((report) => report?.incarnation)).toEqual(['n1#1', 'n1#2']);
    expect(lists.map(sorted)).toEqual(['n1#1', 'n1#2'].map((incarnation) => sorted(reportOf(1, tasks, { incarnation }))));
  });

  it('that are cut off or say no numbers are malformed', () => {
    const beat = encodeBeat({ nodeId: 'n1', incarnation: 'n1#1', reportSeq: 1, sentAt: 2, appliedSeq: 3 });
    for (let length = 1; length <= beat.length - 'n1#1'.length; length += 1) {
      expect(() => decodeReportsMessage(beat.subarray(0, length))).toThrow(MalformedMessageError);
    }
    const other = Buffer.from(beat);
    other.writeDoubleBE(NaN, 4);
    expect(() => decodeReportsMessage(other)).toThrow('a number that is none');
    const newer = Buffer.from(beat);
    newer[1] = 9;
    expect(() => decodeReportsMessage(newer)).toThrow('its version is 9');
    const { tasks: _, ...fields } = reportOf(1, []);
    const long = JSON.stringify(task('x'.repeat(600)));
    const whole = encodeReportMessage({ kind: 'report' }, fields, [long]);
    expect(decodeReportsMessage(whole)).toMatchObject({ kind: 'report', report: { nodeId: 'n1' } });
    for (let length = 1; length < whole.length; length += 1) {
      expect(() => decodeReportsMessage(whole.subarray(0, length))).toThrow(MalformedMessageError);
    }
    expect(() => decodeReportsMessage(Buffer.from([0x78, 0x9c, 1, 2]))).toThrow('it is not JSON');
  });

  it('keep every beat as it was said', () => {
    const number = fc.maxSafeNat();
    const beats = fc.record({
      nodeId: fc.string({ unit: 'binary', minLength: 1 }),
      incarnation: fc.string({ unit: 'binary', minLength: 1 }),
      reportSeq: number,
      sentAt: number,
      appliedSeq: number,
    });
    fc.assert(
      fc.property(beats, (report) => {
        expect(decodeReportsMessage(encodeBeat(report))).toEqual({ kind: 'report.beat', report });
      }),
    );
  });

  it('are distinguished where node id and incarnation are the same text, one behind the other', () => {
    const assembler = new ReportAssembler<TestReport>();
    const senders = [
      { nodeId: 'n1', incarnation: '23' },
      { nodeId: 'n12', incarnation: '3' },
    ];
    for (const [at, sender] of senders.entries())
      assembler.take(decoded(encodeReportMessage({ kind: 'report' }, { ...reportOf(1 + at, []), ...sender }, [])), 0);
    for (const [at, sender] of senders.entries()) {
      const beat = encodeBeat({ ...sender, reportSeq: 2 + at, sentAt: 7, appliedSeq: 8 });
      expect(assembler.read(beat, 1_000)).toMatchObject({ kind: 'report', report: { ...sender, reportSeq: 2 + at } });
    }
  });

  it('fit into messages however many tasks have failed', () => {
    const failed = Array.from({ length: 1000 }, (_, at) => task(`connector-${at}`, { state: 'FAILED', trace: 'x'.repeat(16_384) }));
    const writer = new ReportWriter<TestReport>();
    const assembler = new ReportAssembler<TestReport>();
    const first = reportOf(
      1,
      failed.map((each) => ({ ...each, state: 'RUNNING', trace: '' })),
    );
    const second = reportOf(2, failed);
    for (const report of [first, second]) {
      const bodies = writer.messagesOf(report, report.sentAt, true, 1000);
      for (const { length } of bodies) expect(length).toBeLessThan(2 * 1_048_576);
      expect(bodies.map((body) => assembler.take(decoded(body), 0)).at(-1)).toEqual(report);
    }
  });

  it('are whole where a reader is too old for less, when the node leaves, when a field is gone, and after one that may not have arrived', () => {
    const writer = new ReportWriter<TestReport>();
    const kindOf = (report: TestReport, allowsDeltas = true): string =>
      decoded(writer.messagesOf(report, report.sentAt, allowsDeltas, 1000)[0]!).kind;
    expect(kindOf(reportOf(1, []), false)).toBe('report');
    expect(kindOf(reportOf(2, [], { supersedes: 'n1#0' }), false)).toBe('report');
    expect(kindOf(reportOf(3, [], { supersedes: 'n1#0' }))).toBe('report.beat');
    expect(kindOf(reportOf(4, []))).toBe('report');
    expect(kindOf(reportOf(5, [], { leaving: true }))).toBe('report');
    expect(kindOf(reportOf(6, []))).toBe('report.delta');
    writer.forget();
    expect(kindOf(reportOf(7, []))).toBe('report');
  });

  it('are taken once, in order, and only after a whole one', () => {
    const writer = new ReportWriter<TestReport>();
    const [one, two, three] = [1, 2, 3].map((seq) => {
      const [body] = writer.messagesOf(reportOf(seq, [task(`of-${seq}`)]), seq, true, 1000);
      return decoded(body!);
    });
    const assembler = new ReportAssembler<TestReport>();
    expect(assembler.take(two!, 0)).toBeUndefined();
    expect(assembler.take(one!, 0)).toMatchObject({ reportSeq: 1 });
    expect(assembler.take(two!, 0)).toMatchObject({ reportSeq: 2, tasks: [task('of-2')] });
    expect([one!, two!].map((message) => assembler.take(message, 0))).toEqual([undefined, undefined]);
    expect(assembler.take(three!, 0)).toMatchObject({ reportSeq: 3, tasks: [task('of-3')] });
  });

  it('of a node that was silent for more than a minute are forgotten once another one is heard', () => {
    const writer = new ReportWriter<TestReport>();
    const messages = [1, 2].map((seq) => decoded(writer.messagesOf(reportOf(seq, []), seq, true, 1000)[0]!));
    const other: ReportMessage<TestReport> = { kind: 'report', report: reportOf(1, [], { nodeId: 'n2' }) };
    const assembler = new ReportAssembler<TestReport>();
    assembler.take(messages[0]!, 0);
    assembler.take(other, 60_001);
    expect(assembler.take(messages[1]!, 60_002)).toBeUndefined();
  });

  it.each<[string, object]>([
    ['a report without fields', { kind: 'report', report: {} }],
    ['a report that is a list', { kind: 'report', report: [] }],
    ['no node', { kind: 'report.delta', since: 2, report: { ...reportOf(3, []), nodeId: undefined }, gone: [] }],
    ['tasks that are no list', { kind: 'report', report: { ...reportOf(3, []), tasks: {} } }],
    ['no tasks', { kind: 'report.delta', since: 2, report: { ...reportOf(3, []), tasks: undefined }, gone: [] }],
    ['a task that is nothing', { kind: 'report.delta', since: 2, report: { ...reportOf(3, []), tasks: [null] }, gone: [] }],
    ['a task without counters', { kind: 'report', report: { ...reportOf(3, []), tasks: [{ id: task('a').id }] } }],
    ['what is gone as no list', { kind: 'report.delta', since: 2, report: reportOf(3, []), gone: {} }],
    ['nothing that is gone', { kind: 'report.delta', since: 2, report: reportOf(3, []), gone: [null] }],
  ])('with %s are malformed and change nothing', (_what, message) => {
    const assembler = new ReportAssembler<TestReport>();
    const writer = new ReportWriter<TestReport>();
    for (const body of writer.messagesOf(reportOf(2, [task('a')]), 2000, true, 1000)) assembler.read(body, 0);
    expect(() => assembler.read(Buffer.from(JSON.stringify({ v: 1, ...message })), 0)).toThrow(MalformedMessageError);
    expect(assembler.read(encodeBeat(reportOf(3, [])), 0)).toMatchObject({
      kind: 'report',
      report: { reportSeq: 3, tasks: [task('a')] },
    });
  });

  it('that lack what their readers take are malformed, also as what is new', () => {
    const assembler = new ReportAssembler<TestReport>({ isWhole: ({ plugins }) => Array.isArray(plugins) });
    const read = (message: object): unknown => assembler.read(Buffer.from(JSON.stringify({ v: 1, ...message })), 0);
    const broken = { ...reportOf(2, []), plugins: null };
    expect(() => read({ kind: 'report', report: broken })).toThrow('the report of node n1 lacks');
    expect(() => read({ kind: 'report.part', part: 0, parts: 1, report: broken })).toThrow(MalformedMessageError);
    read({ kind: 'report', report: reportOf(1, []) });
    expect(() => read({ kind: 'report.delta', since: 1, report: broken, gone: [] })).toThrow(MalformedMessageError);
    expect(assembler.read(encodeBeat(reportOf(2, [])), 0)).toMatchObject({ report: { plugins: ['Files'] } });
  });

  it('with a block of tasks that are none are malformed', () => {
    const { tasks: _, ...report } = reportOf(3, []);
    const body = encodeReportMessage(
      { kind: 'report' },
      report,
      Array.from({ length: 300 }, () => 'null'),
    );
    expect(() => new ReportAssembler<TestReport>().read(body, 0)).toThrow(MalformedMessageError);
  });

  it('of an unknown kind are malformed', () => {
    const body = Buffer.from(JSON.stringify({ v: 1, kind: 'report.moon', report: {} }));
    expect(() => decodeReportsMessage(body)).toThrow('kind "report.moon" is unknown');
  });
});
