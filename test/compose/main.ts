// npm run test:compose: compose.yaml as its users have it, from the build to `docker compose down`, and what happens to containers in between.
import { figureLines, isMet, type Figure } from '../chaos/figure.js';
import { ComposeStack } from './compose-stack.js';
import { ROLES } from './container.js';
import { ensureEngine } from './engine.js';
import { applyFaults } from './faults.js';
import { copyFile } from './file-pipeline.js';
import { loseLeaderAndNameServer } from './high-availability.js';
import { LineLoad } from './line-load.js';
import { Observer } from './observer.js';
import { onStack } from './on-stack.js';
import { imageFigures, memoryFigures, startFigures } from './role-figures.js';
import { scaleOut, scaleToZeroAndBack } from './scaling.js';
import { stopInOrder } from './stop-in-order.js';

/** Times that are missed on a machine that is busy with other things may take so many times as long. */
const PATIENCE = 4;

/** Runs everything, prints the figures and returns whether all limits were met. Cleans up also after an error and after `signal`. */
export async function composeCommand(signal: AbortSignal): Promise<boolean> {
  const engine = await ensureEngine(tell, signal);
  try {
    const stack = await ComposeStack.create(signal);
    const disturbed = await onStack(stack, signal, () => exercise(stack, signal));
    tell('three coordinators, two of all RocketMQ');
    const figures = [...disturbed, ...(await loseLeaderAndNameServer(signal))];
    for (const line of figureLines(figures)) process.stdout.write(`${line}\n`);
    const missed = figures.filter((figure) => !isMet(figure, PATIENCE));
    process.stdout.write(missed.length === 0 ? 'compose: passed\n' : `compose: ${missed.length} missed\n`);
    return missed.length === 0;
  } finally {
    await engine.stop();
  }
}

async function exercise(stack: ComposeStack, signal: AbortSignal): Promise<readonly Figure[]> {
  tell('build');
  await stack.build();
  tell('up');
  await stack.up();
  const observer = await Observer.start(stack.project, signal);
  const images = await imageFigures();
  const starts = await startFigures(stack, observer);
  await stack.untilHealthy();
  const memory = await memoryFigures(stack, signal);

  tell('a file is copied');
  await copyFile(stack, observer, signal);
  tell('eight sources under load');
  const load = await LineLoad.start(stack, observer, signal);
  try {
    tell('scale source-runner=4');
    await scaleOut(stack, signal);
    await load.untilFlowing('with four source runners');
    await applyFaults({ stack, observer, load, tell, signal });
    tell('scale to zero and back');
    await scaleToZeroAndBack(stack, signal);
    await load.untilFlowing('after the runners were stopped');
    tell('judge');
    const { lines, missing, duplicates, outOfOrder, foreign, examples } = await load.finish();
    tell('stop');
    const stops = await stopInOrder(stack);
    await Observer.remove(stack.project);
    const left = await leftBehind(stack);
    return [
      ...images,
      ...starts,
      ...memory,
      { name: 'lines written', unit: 'count', value: lines, details: [] },
      ...Object.entries({ missing, duplicates, outOfOrder, foreign }).map(([kind, value]): Figure => ({
        name: `lines: ${kind}`,
        unit: 'count',
        value,
        limit: 0,
        details: examples,
      })),
      ...stops,
      { name: 'left behind by docker compose down', unit: 'count', value: left.length, limit: 0, details: left },
    ];
  } finally {
    load.kill();
  }
}

/** What `docker compose down` leaves beside volumes. @throws Error if it took the volumes */
async function leftBehind(stack: ComposeStack): Promise<readonly string[]> {
  await stack.down();
  const volumes = await stack.volumes();
  for (const role of ROLES) {
    if (!volumes.includes(`${stack.project}_${role}-state`)) throw new Error(`the volume of ${role} is gone: ${volumes.join(', ')}`);
  }
  return [...(await stack.containers()).map(({ name }) => name), ...(await stack.networks())];
}

function tell(line: string): void {
  process.stderr.write(`${new Date().toISOString()} compose: ${line}\n`);
}
