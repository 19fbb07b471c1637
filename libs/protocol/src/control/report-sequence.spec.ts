import { describe, expect, it } from '@jest/globals';
import { ReportAssembler, type Heard } from './report-assembler.js';
import { encodeBeat } from './beat.codec.js';
import { encodeReportMessage, type ReportShape } from './report.codec.js';

const node = { nodeId: 'n1', incarnation: 'n1#1' };
const whole = { ...node, role: 'source-runner', sentAt: 0, leaving: false, appliedSeq: 0 };
const reportOf = (reportSeq: number): Buffer => encodeReportMessage({ kind: 'report' }, { ...whole, reportSeq }, []);
const beatOf = (reportSeq: number): Buffer => encodeBeat({ ...node, reportSeq, sentAt: 0, appliedSeq: 0 });

/** Reads messages of one queue; refused ones are listed apart. */
class Reading {
  readonly refused: string[] = [];
  readonly restarts: string[] = [];
  readonly #assembler = new ReportAssembler<ReportShape>({
    isOwnQueue: (nodeId) => nodeId !== 'elsewhere',
    onRestart: (...about) => void this.restarts.push(about.join(' ')),
  });
  #atMs = 0;

  /** One second after the one before. */
  read(body: Buffer, afterMs = 1_000): string | undefined {
    this.#atMs += afterMs;
    let heard: Heard<ReportShape>;
    try {
      heard = this.#assembler.read(body, this.#atMs);
    } catch (error) {
      this.refused.push((error as Error).message);
      return undefined;
    }
    if (heard.kind === 'probe') return heard.kind;
    return `${heard.kind} ${heard.kind === 'report' ? heard.report.reportSeq : heard.reportSeq}`;
  }
}

describe('the reports of a node that lives', () => {
  it.each([
    ['report', reportOf],
    ['beat', beatOf],
  ])('are not hidden by a foreign %s with a high number', (_kind, foreign) => {
    const reading = new Reading();
    for (const seq of [1, 2]) reading.read(reportOf(seq));
    for (const number of [Number.MAX_SAFE_INTEGER, 2 ** 41, 1_000]) expect(reading.read(foreign(number))).toBeUndefined();
    expect([3, 4, 5].map((seq) => reading.read(beatOf(seq)))).toEqual(['report 3', 'report 4', 'report 5']);
    expect(reading.refused).toHaveLength(3);
    expect(reading.refused[0]).toBe(
      'A reports message cannot be understood: report 9007199254740991 of node n1 (incarnation n1#1) cannot follow those before it: somebody else wrote it',
    );
  });

  it('are believed again, with numbers that grow, where the foreign one was heard first or is near', () => {
    for (const foreign of [900_000, 300]) {
      const reading = new Reading();
      if (foreign === 300) for (const seq of [9, 10]) reading.read(reportOf(seq));
      expect(reading.read(reportOf(foreign))).toBe(`report ${foreign}`);
      expect([11, 12].map((seq) => reading.read(reportOf(seq)))).toEqual(['alive 11', 'alive 12']);
      const next = [13, 14, 15].map((seq) => reading.read(reportOf(seq)));
      expect(next).toEqual([1, 2, 3].map((more) => `report ${foreign + more}`));
      expect(reading.read(beatOf(16))).toBe(`report ${foreign + 4}`);
      expect(reading.restarts).toEqual(['n1 n1#1']);
      expect(reading.refused).toEqual([]);
    }
  });

  it('grow as fast as nodes report, over gaps of any length', () => {
    const reading = new Reading();
    expect(reading.read(reportOf(1))).toBe('report 1');
    expect(reading.read(reportOf(60_000), 3_600_000)).toBe('report 60000');
    expect(reading.read(reportOf(60_600), -3_600_000)).toBe('report 60600');
  });

  it('stay in their order where late ones come in one burst, as from a broker that was stalled', () => {
    const reading = new Reading();
    expect(reading.read(reportOf(20))).toBe('report 20');
    expect([12, 13, 14, 15].map((seq) => reading.read(reportOf(seq), 1))).toEqual([12, 13, 14, 15].map((seq) => `alive ${seq}`));
    expect(reading.read(reportOf(21))).toBe('report 21');
    expect(reading.restarts).toEqual([]);
  });

  it('are refused in the queue of other nodes', () => {
    const reading = new Reading();
    const foreign = encodeBeat({ nodeId: 'elsewhere', incarnation: 'x', reportSeq: 1, sentAt: 0, appliedSeq: 0 });
    expect(reading.read(foreign)).toBeUndefined();
    expect(reading.refused).toEqual(['A reports message cannot be understood: node elsewhere does not report in this queue']);
  });
});
