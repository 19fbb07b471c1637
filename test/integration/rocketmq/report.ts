import { inspect } from 'node:util';

/** Prints what a test measured, on one line, without the frame that jest draws around console lines. */
export function report(what: string, figures: object): void {
  process.stdout.write(`${what}: ${inspect(figures, { breakLength: Infinity })}\n`);
}
