// Writes the vectors of test/vectors/data again: asks the released classes of Kafka Connect. Needs Java 17 and Maven.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const run = (command, args) => execFileSync(command, args, { stdio: 'inherit' });

const build = folder('.sluice/vectors');
run('mvn', [
  ...['-q', '-B', '-f', folder('test/vectors/generator/pom.xml')],
  ...['compile', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${build}/lib`],
]);
run('java', ['-cp', `${build}/classes:${build}/lib/*`, 'sluice.vectors.Main', folder('test/vectors/data')]);
