/** Settles like `work`, or rejects with what `late` gives after `limitMs`. The work itself goes on: the caller ends it. */
export async function withinTime<T>(work: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          reject(late());
        }, limitMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
