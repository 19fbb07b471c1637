// npm run test:node -- 24 [jest arguments]: the unit and integration specs on another version of Node, which npm fetches.
// With --if-changed only when they have not passed on it with these dependencies yet: .ci/node-versions.json keeps that.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { root, run } from './setup.mjs';

const KEPT = `${root}.ci/node-versions.json`;
const OLDEST = 20;

/** Hash of the dependencies as locked; the workspace's own packages do not count. */
function toolchain() {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
  const fetched = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);
  return createHash('sha256').update(JSON.stringify(fetched)).digest('hex').slice(0, 16);
}

const [major, ...rest] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? '') || Number(major) < OLDEST) {
  console.error(`npm run test:node -- MAJOR: a version of Node from ${OLDEST}, such as 24; given: ${major ?? 'nothing'}`);
  process.exit(2);
}
const isConditional = rest.includes('--if-changed');
const jest = rest.filter((argument) => argument !== '--if-changed');
const passed = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : {};
const current = toolchain();
if (isConditional && passed[major] === current) {
  console.log(`Node ${major}: the specs have passed with these dependencies.`);
} else {
  try {
    const node = ['exec', '--yes', `--package=node@${major}`, '--', 'node'];
    await run('npm', [...node, `${root}scripts/test.mjs`, ...jest, '--selectProjects', 'unit', 'integration']);
    if (jest.length === 0) writeFileSync(KEPT, `${JSON.stringify({ ...passed, [major]: current }, undefined, 2)}\n`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
