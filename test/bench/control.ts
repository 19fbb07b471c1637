// npm run bench -- control [--tasks N]: what a cluster of many tasks costs its nodes, without a broker.
import { parseArgs } from 'node:util';
import { leaderFigures } from './control-leader.js';
import { fileFigures, foldFigures } from './control-node.js';
import { idleFigures, reportFigures } from './control-reports.js';
import { ControlWorld, type Scale } from './control-world.js';
import { type Figure, reportMissed, shownGoal, shownValue } from './figure.js';

const SIZES: readonly Scale[] = [
  { tasks: 1_000, connectors: 100, workers: 10 },
  { tasks: 10_000, connectors: 1_000, workers: 100 },
  { tasks: 100_000, connectors: 10_000, workers: 1_000 },
];

export async function controlBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { tasks: { type: 'string' } } });
  const chosen = values.tasks === undefined ? SIZES : SIZES.filter(({ tasks }) => String(tasks) === values.tasks);
  if (chosen.length === 0) {
    throw new Error(`--tasks: ${values.tasks ?? ''} given; allowed are ${SIZES.map(({ tasks }) => tasks).join(', ')}`);
  }
  const columns: Figure[][] = [];
  for (const scale of chosen) {
    const world = ControlWorld.settled(scale);
    columns.push([
      ...leaderFigures(world),
      ...(await idleFigures(world)),
      ...(await fileFigures(world)),
      ...reportFigures(world),
      ...foldFigures(world),
    ]);
  }
  print(chosen, columns);
}

function print(scales: readonly Scale[], columns: readonly (readonly Figure[])[]): void {
  const titles = scales.map(({ tasks, workers }) => `${tasks} tasks, ${workers} workers`);
  process.stdout.write(`${''.padEnd(66)}${titles.map((title) => title.padStart(30)).join('')}   goal at 100000\n`);
  for (const [row, figure] of (columns[0] ?? []).entries()) {
    const cells = columns.map((figures) => (figures[row] === undefined ? '' : shownValue(figures[row])).padStart(30)).join('');
    process.stdout.write(`${figure.what.padEnd(66)}${cells}   ${shownGoal(figure)}\n`);
  }
  const top = scales.findIndex(({ tasks }) => tasks === 100_000);
  reportMissed(columns[top] ?? []);
}
