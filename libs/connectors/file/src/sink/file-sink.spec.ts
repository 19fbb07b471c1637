import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConnectValue, parseConfig, type QueueRef, type SinkPosition, type SinkTask } from '@sluice/sdk';
import { RecordedLogger, sinkContract, sinkTestContext } from '@sluice/testing';
import { fileStreamSink } from './file-sink.connector.js';
import { fileSinkSpec } from './settings.js';

const queue: QueueRef = { topic: 't', brokerName: 'b', queueId: 0 };
const signal = new AbortController().signal;
const BY_TIME = { everything: false };
let folder = '';
let file = '';
let tasks: SinkTask[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-file-sink-'));
  file = join(folder, 'out.txt');
});
afterEach(async () => {
  for (const task of tasks) await task.stop();
  tasks = [];
  await rm(folder, { recursive: true, force: true });
});

async function start(connectorName = 'contract', path = file): Promise<SinkTask> {
  const task = fileStreamSink.createTask();
  tasks.push(task);
  await task.start({ ...sinkTestContext({ config: { file: path } }), connectorName });
  return task;
}

async function opened(): Promise<SinkTask> {
  const task = await start();
  await task.open([queue]);
  return task;
}

const put = (task: SinkTask, from: number, ...values: readonly ConnectValue[]): Promise<void> =>
  task.put(
    values.map((value, index) => ({ topic: 't', queue, offset: from + index, value })),
    signal,
  );
const flush = (task: SinkTask, nextOffset: number): Promise<unknown> => task.flush([{ queue, nextOffset }], signal, BY_TIME);
const content = (): Promise<string> => readFile(file, 'utf8');

describe('every sink, here the file sink', () => {
  const cases = sinkContract({
    connector: fileStreamSink,
    brokenConfig: {},
    storesOffsets: true,
    setUp: async () => {
      const own = await mkdtemp(join(tmpdir(), 'sluice-file-sink-'));
      const path = join(own, 'out.txt');
      return {
        config: { file: path },
        read: async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1),
        afterCrash: () => rm(`${path}.sluice-lock`),
        tearDown: () => rm(own, { recursive: true, force: true }),
      };
    },
  });
  it.each(cases)('$title', ({ run }) => run());
});

describe('the file sink', () => {
  it('says where it resumes, also for a connector that was created again under its name', async () => {
    const first = await opened();
    await put(first, 0, 'a', 'b');
    await flush(first, 2);
    await first.stop();
    const logger = new RecordedLogger();
    const again = fileStreamSink.createTask();
    tasks.push(again);
    await again.start({ ...sinkTestContext({ config: { file }, logger }), connectorName: 'contract' });
    await again.open([queue]);
    expect(logger.lines).toEqual([`info File ${file}: resumes queue t@b:0 at offset 2.`]);
  });

  it('writes bytes and texts as they are, null as null and everything else as JSON', async () => {
    const task = await opened();
    await put(task, 0, Buffer.from('b\r'), 'ü', null, 7, { a: [1n, Buffer.from('x')] });
    await flush(task, 5);
    expect(await content()).toBe('b\r\nü\nnull\n7\n{"a":[1,"eA=="]}\n');
  });

  it('appends to a file that was there, and cuts back to it after a crash before the first flush', async () => {
    await writeFile(file, 'before\n');
    await put(await opened(), 0, 'lost');
    expect(await content()).toBe('before\nlost\n');
    await rm(`${file}.sluice-lock`);
    const task = await opened();
    expect(await content()).toBe('before\n');
    await put(task, 0, 'a');
    await flush(task, 1);
    expect(await content()).toBe('before\na\n');
  });

  it('writes batches larger than its memory in order', async () => {
    const task = await opened();
    const values = Array.from({ length: 7 }, (_, index) => String(index).repeat(3_000_000));
    await put(task, 0, ...values);
    await flush(task, 7);
    expect(await content()).toBe(`${values.join('\n')}\n`);
  });

  it('keeps the record of queues that it does not own now', async () => {
    const first = await opened();
    await put(first, 0, 'a');
    await flush(first, 1);
    await first.stop();
    const other: QueueRef = { ...queue, queueId: 1 };
    const second = await start();
    expect(await second.open([other])).toEqual([]);
    await second.flush([{ queue: other, nextOffset: 4 }], signal, BY_TIME);
    await second.stop();
    const expected: readonly SinkPosition[] = [
      { queue, nextOffset: 1 },
      { queue: other, nextOffset: 4 },
    ];
    expect(await (await start()).open([queue, other])).toEqual(expected);
  });

  it('leaves only the file and its record behind', async () => {
    const task = await opened();
    await put(task, 0, 'a');
    await flush(task, 1);
    await task.stop();
    expect((await readdir(folder)).sort()).toEqual(['out.txt', 'out.txt.sluice-offsets']);
  });

  it('cuts off what was written behind the record', async () => {
    const task = await opened();
    await put(task, 0, 'a');
    await flush(task, 1);
    await task.stop();
    await appendFile(file, 'half a li');
    await opened();
    expect(await content()).toBe('a\n');
  });

  it('skips a record whose value JSON cannot hold, if that is tolerated, and writes those beside it', async () => {
    const skipped: string[] = [];
    const task = fileStreamSink.createTask();
    tasks.push(task);
    await task.start(sinkTestContext({ config: { file, 'errors.tolerance': 'all' }, warnings: skipped }));
    await task.open([queue]);
    await put(task, 0, 'a', { n: NaN }, 'b');
    await flush(task, 3);
    expect(await content()).toBe('a\nb\n');
    expect(skipped).toEqual([expect.stringContaining('skipped: value.n: NaN given')]);
    await expect(put(task, 3, 'c')).resolves.toBeUndefined();
  });

  it('fails on such a record where nothing is tolerated', async () => {
    await expect(put(await opened(), 0, 'a', { n: NaN })).rejects.toThrow('NaN given');
  });

  it('refuses a file that someone has cut', async () => {
    const task = await opened();
    await put(task, 0, 'abc');
    await flush(task, 1);
    await task.stop();
    await truncate(file, 1);
    await expect(opened()).rejects.toMatchObject({
      code: 'CONNECT_STATE_INVALID',
      message: expect.stringContaining(`File ${file} has 1 bytes, but 4 bytes were written`),
    });
    await rm(file);
    await expect(opened()).rejects.toThrow('does not exist, but 4 bytes were written');
  });

  it('refuses a damaged record', async () => {
    await (await opened()).stop();
    const path = `${file}.sluice-offsets`;
    await writeFile(path, (await readFile(path, 'utf8')).replace('"length":0', '"length":1'));
    await expect(opened()).rejects.toThrow(`${path} is damaged`);
  });

  it('refuses a file of another connector', async () => {
    await (await opened()).stop();
    const task = await start('second');
    await expect(task.open([queue])).rejects.toThrow(`File ${file} is written by connector contract`);
  });

  it('refuses a file that another task writes, by whatever name', async () => {
    await writeFile(file, '');
    await opened();
    await symlink(file, join(folder, 'link'));
    const task = await start('contract', join(folder, 'link'));
    await expect(task.open([queue])).rejects.toMatchObject({ code: 'CONNECT_LOCK_HELD' });
  });

  it('names the connector that writes the file', async () => {
    await opened();
    const task = await start('another');
    await expect(task.open([queue])).rejects.toThrow(`${file}.sluice-lock is held by connector contract in process`);
  });

  it.each([
    ['straight', ['out.txt']],
    ['through a second link', ['second', 'out.txt']],
    ['into another folder', ['elsewhere/out.txt']],
  ])('refuses a file that another task writes by a link that led to nothing when both began: %s', async (_, targets) => {
    await mkdir(join(folder, 'elsewhere'));
    const names = ['a', 'b'].map((name) => join(folder, name));
    const [first = '', ...further] = targets;
    for (const name of names) await symlink(first, name);
    if (further[0] !== undefined) await symlink(further[0], join(folder, first));
    const [one, two] = [await start('contract', names[0]), await start('contract', names[1])];
    const outcomes = await Promise.allSettled([one.open([queue]), two.open([queue])]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'CONNECT_LOCK_HELD' },
    });
  });

  it('refuses links that lead to one another', async () => {
    await symlink('b', join(folder, 'a'));
    await symlink('a', join(folder, 'b'));
    await expect(start('contract', join(folder, 'a'))).rejects.toThrow('more than 40 symbolic links');
  });

  it('refuses a folder that does not exist when it starts, also behind a link', async () => {
    const missing = `folder ${join(folder, 'none')} does not exist where the worker runs; create it`;
    await expect(start('contract', join(folder, 'none', 'out.txt'))).rejects.toThrow(
      `File ${join(folder, 'none', 'out.txt')} cannot be written: ${missing}`,
    );
    await symlink(join(folder, 'none', 'out.txt'), join(folder, 'link'));
    await expect(start('contract', join(folder, 'link'))).rejects.toThrow(missing);
  });

  it.each([
    ['deleted', 'was deleted or moved away while it was written', () => rm(file)],
    ['moved away', 'was deleted or moved away while it was written', () => rename(file, `${file}.1`)],
    [
      'replaced by a longer one',
      'was replaced by another one while it was written',
      async () => {
        await writeFile(`${file}.new`, 'much longer than before\n');
        await rename(`${file}.new`, file);
      },
    ],
  ])('commits nothing into a file that was %s while it ran', async (_, problem, change) => {
    const task = await opened();
    await put(task, 0, 'a');
    await flush(task, 1);
    await change();
    await put(task, 1, 'b');
    await expect(flush(task, 2)).rejects.toMatchObject({
      code: 'CONNECT_STATE_INVALID',
      message: `File ${file} ${problem}. Restore the file, or remove ${file}.sluice-offsets to append from the offsets of the consumer group; then restart the task. After such a removal, lines of records from those offsets on may be in both the earlier file and this one.`,
    });
    expect(JSON.parse(await readFile(`${file}.sluice-offsets`, 'utf8'))).toMatchObject({
      queues: { 't@b:0': { nextOffset: 1 } },
    });
  });

  it.each([
    ['before a put', async (task: SinkTask): Promise<void> => put(task, 1, 'second')],
    [
      'between a put and its flush',
      async (task: SinkTask): Promise<void> => {
        await put(task, 1, 'second');
        await truncate(file, 0);
        await flush(task, 2);
      },
    ],
  ])('fails when somebody cuts its file %s, and fills no gap with zeros', async (_, resume) => {
    const task = await opened();
    await put(task, 0, 'first');
    await flush(task, 1);
    if (_ === 'before a put') await truncate(file, 0);
    await expect(resume(task)).rejects.toMatchObject({
      code: 'CONNECT_STATE_INVALID',
      message: expect.stringContaining('somebody cut or replaced it'),
    });
    expect(await content()).not.toContain('\0');
  });

  it('fails so that further attempts are made while the folder of its file is gone, and resumes when it is back', async () => {
    const own = join(folder, 'own');
    await mkdir(own);
    const task = await start('contract', join(own, 'out.txt'));
    await task.open([queue]);
    await put(task, 0, 'a');
    await flush(task, 1);
    await rename(own, `${own}-moved`);
    await put(task, 1, 'b');
    await expect(flush(task, 2)).rejects.toMatchObject({
      code: 'CONNECT_SINK_FAILED',
      message: expect.stringContaining(`folder ${own} does not exist`),
    });
    await task.stop();
    await rename(`${own}-moved`, own);
    const again = await start('contract', join(own, 'out.txt'));
    expect(await again.open([queue])).toMatchObject([{ nextOffset: 1 }]);
  });

  it('resumes when a file that was moved away is back', async () => {
    const task = await opened();
    await put(task, 0, 'a');
    await flush(task, 1);
    await rename(file, `${file}.1`);
    await put(task, 1, 'b');
    await expect(flush(task, 2)).rejects.toThrow('was deleted or moved away');
    await task.stop();
    await expect(opened()).rejects.toMatchObject({
      code: 'CONNECT_STATE_INVALID',
      message: expect.stringMatching(
        /out\.txt does not exist, but 2 bytes were written, .*: somebody deleted it or moved it away\. .* may be in both the earlier file/,
      ),
    });
    await expect(content()).rejects.toMatchObject({ code: 'ENOENT' });
    await rename(`${file}.1`, file);
    const again = await opened();
    await put(again, 1, 'b');
    await flush(again, 2);
    expect(await content()).toBe('a\nb\n');
  });

  it('refuses what is no regular file, and gives the lock up again', async () => {
    await expect((await start('contract', folder)).open([queue])).rejects.toThrow(`File ${folder} cannot be written`);
    await rm(`${folder}.sluice-lock`, { force: false }).then(
      () => {
        throw new Error('the lock is still there');
      },
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'ENOENT' });
      },
    );
  });

  it('refuses a flush that does not cover what was put', async () => {
    const task = await opened();
    await put(task, 0, 'a', 'b');
    await expect(flush(task, 1)).rejects.toThrow('records of queue t@b:0 up to offset 1 were put, but the flush is for records before 1');
    await expect(task.flush([], signal, BY_TIME)).rejects.toThrow('the flush is for other queues');
    await flush(task, 2);
  });

  it.each(['copy-a-topic.json', 'sink-as-in-rocketmq-connect.json'])('accepts the example %s', async (name) => {
    const example = JSON.parse(await readFile(new URL(`../../examples/${name}`, import.meta.url), 'utf8')) as {
      readonly config: Record<string, string>;
    };
    const common = new Set(['connector.class', 'tasks.max', 'topics', 'connect.topicnames']);
    const parsed = parseConfig(fileSinkSpec, example.config, { isKnownElsewhere: (key) => common.has(key) });
    expect(parsed).toMatchObject({ ok: true, warnings: [] });
    expect([fileStreamSink.name, ...fileStreamSink.aliases]).toContain(example.config['connector.class']);
  });
});
