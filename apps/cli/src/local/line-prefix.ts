const colours: Readonly<Record<string, number>> = {
  gateway: 36,
  coordinator: 35,
  'source-runner': 32,
  'sink-runner': 33,
  rocketmq: 34,
  sluice: 1,
};
const width = Math.max(...Object.keys(colours).map((name) => name.length));

/** Puts the name of its writer before a line, in colour on a terminal. */
export function prefixLine(name: string, line: string, colour: boolean): string {
  const label = name.padEnd(width);
  return colour ? `\u001b[${String(colours[name] ?? 0)}m${label}\u001b[0m ${line}` : `${label} ${line}`;
}
