/** Names the first `max` of many things, and says how many more there are. */
export function someOf(names: readonly string[], max: number): string {
  const named = names.slice(0, max).join(', ');
  return names.length > max ? `${named} and ${names.length - max} more` : named;
}
