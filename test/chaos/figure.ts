/** Something that was measured or counted, and what it may be at most; without a limit the report only shows it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'count';
  readonly limit?: number;
  /** Where to look, for instance which task. */
  readonly details: readonly string[];
}

/** A time that is missed on a machine that is busy with other things may be allowed to take `patience` times as long; counts never. */
export function isMet({ value, unit, limit }: Figure, patience = 1): boolean {
  return limit === undefined || value <= (unit === 'ms' ? limit * patience : limit);
}

/** The figures with a line each, and what stands behind those that miss their limits or have none. */
export function figureLines(figures: readonly Figure[]): readonly string[] {
  const width = Math.max(...figures.map(({ name }) => name.length));
  return figures.flatMap((figure) => {
    const { name, unit, value, limit, details } = figure;
    const measure = (amount: number): string => `${amount.toFixed(0)}${unit === 'ms' ? ' ms' : ''}`.padStart(10);
    const verdict = limit === undefined ? '' : isMet(figure) ? 'met' : 'MISSED';
    const allowed = limit === undefined ? ''.padStart(22) : ` at most ${measure(limit)}   `;
    const line = `${name.padEnd(width)} ${measure(value)}${allowed}${verdict}`.trimEnd();
    const shown = limit === undefined ? 3 : isMet(figure) ? 0 : 20;
    return [line, ...details.slice(0, shown).map((detail) => `    ${detail}`)];
  });
}
