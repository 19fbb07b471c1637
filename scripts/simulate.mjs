import { parseArgs } from 'node:util';
import { simulate } from '../libs/simulation/dist/index.js';

const usage = `usage: npm run simulate -- [--seeds N] [--from N] [--seed N] [--steps N]

  Runs the control plane under simulated faults, one run per seed; a seed always gives the same run. Build first.

  --seeds N  number of runs (default 200)
  --from N   first seed (default 1)
  --seed N   only this seed: replays a failure
  --steps N  faults and commands per run (default 20)`;

function integer(name, text, fallback) {
  if (text === undefined) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name}: ${text} given; allowed are whole numbers\n${usage}`);
  process.exit(2);
}

function readArguments() {
  const text = { type: 'string' };
  try {
    return parseArgs({ options: { seeds: text, from: text, seed: text, steps: text, help: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

const given = readArguments();
if (given.help) {
  console.log(usage);
  process.exit(0);
}
const seed = integer('seed', given.seed);
const seeds = seed === undefined ? integer('seeds', given.seeds, 200) : 1;
const from = seed ?? integer('from', given.from, 1);
const steps = integer('steps', given.steps, 20);
const started = performance.now();
let done = 0;
const failed = simulate({
  seeds,
  from,
  steps,
  onRun: (run) => {
    done += 1;
    if (run.wrong.length > 0) {
      console.log(`seed ${run.seed} failed; replay: npm run simulate -- --seed ${run.seed} --steps ${steps}`);
      for (const what of run.wrong.slice(0, 10)) console.log(`  ${what}`);
    }
    if (done % 100 === 0 && done < seeds) console.log(`${done} of ${seeds} seeds`);
  },
});
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${seeds - failed.length} of ${seeds} seeds passed in ${seconds} s`);
process.exitCode = failed.length > 0 ? 1 : 0;
