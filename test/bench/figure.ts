/** A figure of a bench, and what it must not exceed, or must reach. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export function shownValue({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  return `${value.toFixed(value < 100 ? 2 : 0)} ${unit}`;
}

export function shownGoal({ atMost, atLeast, unit }: Figure): string {
  if (atMost !== undefined) return `≤ ${atMost} ${unit}`;
  return atLeast === undefined ? '' : `≥ ${atLeast} ${unit}`;
}

/** Prints a line for each figure with its goal, then those that miss theirs. */
export function printFigures(figures: readonly Figure[]): void {
  for (const figure of figures) {
    process.stdout.write(`${figure.what.padEnd(50)}${shownValue(figure).padStart(20)}   ${shownGoal(figure)}`.trimEnd() + '\n');
  }
  reportMissed(figures);
}

/** Prints those figures that miss their goals; the process then ends with 1. */
export function reportMissed(figures: readonly Figure[]): void {
  const missed = figures.filter(({ value, atMost = Infinity, atLeast = -Infinity }) => !(value <= atMost && value >= atLeast));
  for (const figure of missed) process.stdout.write(`MISSED: ${figure.what}: ${shownValue(figure)}\n`);
  if (missed.length > 0) process.exitCode = 1;
}
