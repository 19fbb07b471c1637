import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileJava } from '../support/java-program.js';

const SOURCE = fileURLToPath(new URL('../../chaos/java/ForeignReader.java', import.meta.url));
const JVM = ['-Xmx512m', '-XX:+UseSerialGC'];
const READ_LIMIT_MS = 180_000;

/** What a consumer that is no part of Sluice finds in a topic. */
export interface ForeignView {
  readonly records: number;
  /** Records that it saw before. */
  readonly twice: number;
  /** Messages that are no records, such as barriers. */
  readonly others: number;
}

/** RocketMQ's Java client as the consumer of somebody else. */
export class ForeignReader {
  private constructor(private readonly classPath: string) {}

  static async compile(): Promise<ForeignReader> {
    return new ForeignReader(await compileJava([SOURCE]));
  }

  /** Reads the whole topic. @param pattern a regular expression of Java whose groups name a record by its body */
  async read(namesrv: string, topic: string, group: string, pattern: string): Promise<ForeignView> {
    const words = [...JVM, '-cp', this.classPath, 'ForeignReader', namesrv, topic, group, pattern];
    const { stdout } = await promisify(execFile)('java', words, { timeout: READ_LIMIT_MS });
    const [, ...numbers] = /^foreign (\d+) (\d+) (\d+)$/m.exec(stdout) ?? [];
    const [records, twice, others] = numbers.map(Number);
    if (records === undefined || twice === undefined || others === undefined) throw new Error(`no count of ${topic}: ${stdout}`);
    return { records, twice, others };
  }
}
