/** Tasks in one entry: keeps an entry well below the limit of a message. */
const TASKS_PER_ENTRY = 250;

/** Cuts a list of tasks into parts that fit into one entry each. */
export function inChunks<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const chunks: (readonly Item[])[] = [];
  for (let at = 0; at < items.length; at += TASKS_PER_ENTRY) chunks.push(items.slice(at, at + TASKS_PER_ENTRY));
  return chunks;
}
