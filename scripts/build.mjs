// npm run build: builds every package; first it lists the connector folders for the compiler. With --check it fails where that list is stale.
import { writeReferences } from './connector-projects.mjs';
import { root, run } from './setup.mjs';

if (process.argv.includes('--check')) {
  if (writeReferences(root, { check: true })) {
    console.error('libs/connectors/tsconfig.json does not list the connector folders. Run: npm run build');
    process.exitCode = 1;
  }
} else {
  writeReferences(root);
  try {
    await run(process.execPath, [`${root}node_modules/@typescript/native/bin/tsc`, '-b', ...process.argv.slice(2)]);
  } catch (error) {
    process.exitCode = error.code ?? 1;
  }
}
