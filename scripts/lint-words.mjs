// Refuses words that the text of Sluice avoids, and sentences that are too long: `npm run lint:words -- [FOLDER …]`.
// Without folders it reads all but the exempt ones.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkFile } from './words/check-file.mjs';
import { exemptFolders, isWritten } from './words/scope.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = process.argv.slice(2).map((folder) => relative(root, resolve(folder)));
const within = (file, folder) => folder === '' || file === folder || file.startsWith(`${folder}/`);

const listed = ['ls-files', '--cached', '--others', '--exclude-standard'];
const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\n').filter(isWritten);
const chosen = files.filter((file) =>
  folders.length > 0 ? folders.some((folder) => within(file, folder)) : !exemptFolders.some((folder) => within(file, folder)),
);

let findings = 0;
for (const file of new Set(chosen)) {
  const path = resolve(root, file);
  if (!existsSync(path)) continue;
  for (const { line, message } of checkFile(file, readFileSync(path, 'utf8'))) {
    findings += 1;
    console.error(`${file}:${line}: ${message}`);
  }
}
if (findings > 0) {
  console.error(`\n${findings} places to rewrite; the list of words is in scripts/words/word-list.mjs`);
  process.exitCode = 1;
}
