import { fileURLToPath } from 'node:url';
import { compileJava } from '../support/java-program.js';
import { LoadProcess } from './load-process.js';

// Of the sources: nothing but TypeScript is built into dist.
const source = fileURLToPath(new URL('../../bench/java/PullLoad.java', import.meta.url));
const JVM = ['-Xms256m', '-Xmx256m', '-XX:+UseParallelGC'];

/** RocketMQ's Java client under load: its own BatchProducer and a pull consumer. */
export class JavaLoad {
  private constructor(private readonly classPath: string) {}

  static async compile(): Promise<JavaLoad> {
    return new JavaLoad(await compileJava([source]));
  }

  /** Sends batches of equal size from each of its threads until it is stopped. */
  batchProducer(namesrv: string, topic: string, batch: number, threads: number, bodyBytes: number): LoadProcess {
    const options = { n: namesrv, t: topic, b: batch, w: threads, s: bodyBytes, ri: 60_000 };
    const words = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)]);
    return this.#start('org.apache.rocketmq.example.benchmark.BatchProducer', words);
  }

  /** Reads each queue up to an offset, one pull at a time per queue, all queues at once. */
  pullConsumer(namesrv: string, topic: string, queues: number, perPull: number, end: number): LoadProcess {
    return this.#start('PullLoad', [namesrv, topic, 'bench', String(queues), String(perPull), String(end)]);
  }

  #start(mainClass: string, words: readonly string[]): LoadProcess {
    return new LoadProcess('java', [...JVM, '-cp', this.classPath, mainClass, ...words]);
  }
}
