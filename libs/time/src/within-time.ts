/** A timer of Node that is set for longer ends at once; so late nobody waits any more. */
export const maxTimerMs = 2 ** 31 - 1;

/** Settles like `work`, or rejects with what `late` gives after `limitMs`. The work itself continues: the caller ends it. */
export async function withinTime<T>(work: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
          () => {
            reject(late());
          },
          Math.min(limitMs, maxTimerMs),
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
