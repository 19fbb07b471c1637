/** Runs an action for each item, at most `limit` at a time. Rejects with the first error once what runs has ended; no further item is begun then. */
export async function forEachOf<T>(items: Iterable<T>, limit: number, act: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (let item = left.next(); item.done !== true && failure === undefined; item = left.next()) {
      try {
        await act(item.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
  if (failure !== undefined) throw failure.error;
}
