// Runs seeds of one build's simulation, the given one first, until one fails, and prints what it saw: { seed, wrong } of that seed, or
// { survived: number of seeds }.
import { pathToFileURL } from 'node:url';

const [folder, seeds, first] = process.argv.slice(2);
const { simulate } = await import(pathToFileURL(`${folder}/simulation/simulate.js`).href);
const all = Array.from({ length: Number(seeds) }, (_, index) => index + 1);
let found;
for (const seed of new Set([...(first === undefined ? [] : [Number(first)]), ...all])) {
  [found] = simulate({ seeds: 1, from: seed });
  if (found !== undefined) break;
}
console.log(JSON.stringify(found ?? { survived: Number(seeds) }));
