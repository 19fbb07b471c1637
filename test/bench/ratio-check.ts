/** A figure of ours divided by the peer's in the same run, and what it must reach. */
export interface Ratio {
  readonly name: string;
  readonly ratio: number;
  readonly goal: number;
}

/** A ratio may fall this far below its goal before a bench fails: the machines of two runs are never alike. */
const TOLERANCE = 0.8;

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('median of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The ratios that are below 0.8 of their goal, or no number at all. */
export function missedRatios(ratios: readonly Ratio[]): readonly Ratio[] {
  return ratios.filter(({ ratio, goal }) => !(ratio >= TOLERANCE * goal));
}

/**
 * Prints each ratio beside its goal; absolute figures are the bench's to print.
 * @throws Error that names each ratio below 0.8 of its goal
 */
export function checkRatios(ratios: readonly Ratio[]): void {
  for (const { name, ratio, goal } of ratios) {
    process.stdout.write(`ratio ${name}: ${ratio.toFixed(2)} (goal ${goal.toFixed(2)})\n`);
  }
  const missed = missedRatios(ratios).map(({ name, ratio, goal }) => {
    return `${name} is ${ratio.toFixed(2)}, allowed is ${(TOLERANCE * goal).toFixed(2)} or more`;
  });
  if (missed.length > 0) throw new Error(`ratios below ${TOLERANCE} of their goals: ${missed.join('; ')}`);
}
