/** The longest time of a timer: Node ends a longer one at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

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
          Math.min(limitMs, MAX_TIMER_MS),
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
