// Runs seeds of one build's simulation until one fails, and prints what it saw: { seed, wrong } of that seed, or { survived: number of seeds }.
import { pathToFileURL } from 'node:url';

const [folder, seeds] = process.argv.slice(2);
const { simulate } = await import(pathToFileURL(`${folder}/simulation/simulate.js`).href);
let found;
for (let seed = 1; seed <= Number(seeds) && found === undefined; seed += 1) [found] = simulate({ seeds: 1, from: seed });
console.log(JSON.stringify(found ?? { survived: Number(seeds) }));
