import { execFile } from 'node:child_process';
import { appendFile, copyFile, mkdtemp, readFile, rename, rm, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_VALUE_BYTES, parseConfig, type SourceRecord, type SourceTask } from '@sluice/sdk';
import { RecordedLogger, RememberedPositions, sourceContract, sourceTestContext } from '@sluice/testing';
import { fileStreamSource } from './file-source.connector.js';
import { fileSourceSpec } from './settings.js';

let folder = '';
let file = '';
let logger = new RecordedLogger();
let warnings: string[] = [];
let waits: (string | undefined)[] = [];
let positions = new RememberedPositions();
let tasks: SourceTask[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-file-source-'));
  file = join(folder, 'app.log');
  logger = new RecordedLogger();
  warnings = [];
  waits = [];
  positions = new RememberedPositions();
});
afterEach(async () => {
  for (const task of tasks) await task.stop();
  tasks = [];
  await rm(folder, { recursive: true, force: true });
});

async function start(config: Record<string, string> = {}): Promise<SourceTask> {
  const task = fileStreamSource.createTask();
  tasks.push(task);
  await task.start(sourceTestContext({ config: { file, topic: 't', ...config }, logger, warnings, waits }, positions));
  return task;
}

/** Polls until there are `count` lines, and remembers the position of the last. */
async function lines(task: SourceTask, count: number): Promise<readonly string[]> {
  const records: SourceRecord[] = [];
  const signal = AbortSignal.timeout(60_000);
  while (records.length < count && !signal.aborted) records.push(...(await task.poll(signal)));
  for (const record of records) positions.set(record.partition, record.position);
  return records.map((record) => (record.value as Buffer).toString());
}

/** A poll that waits for what must come. */
const poll = (task: SourceTask): Promise<readonly SourceRecord[]> => task.poll(AbortSignal.timeout(60_000));

/** A poll that nothing is expected of. */
const quiet = (task: SourceTask): Promise<readonly SourceRecord[]> => task.poll(AbortSignal.timeout(80));

describe('every source, here the file source', () => {
  const cases = sourceContract({
    connector: fileStreamSource,
    brokenConfig: { topic: 't' },
    setUp: async () => {
      const own = await mkdtemp(join(tmpdir(), 'sluice-file-source-'));
      const path = join(own, 'in.txt');
      return {
        config: { file: path, topic: 't' },
        append: (values) => appendFile(path, values.map((value) => `${value}\n`).join('')),
        appendUnreadable: () => appendFile(path, Buffer.alloc(MAX_VALUE_BYTES + 2, 'x').fill('\n', MAX_VALUE_BYTES + 1)),
        tearDown: () => rm(own, { recursive: true, force: true }),
      };
    },
  });
  it.each(cases)('$title', ({ run }) => run());
});

describe('the file source', () => {
  it('gives bytes with the string schema, the topic, the file as partition and the offset as position', async () => {
    await writeFile(file, 'one\ntwo\n');
    const records = await (await start()).poll(new AbortController().signal);
    expect(records).toEqual([
      {
        topic: 't',
        value: Buffer.from('one'),
        schema: { type: 'string' },
        partition: { filename: file },
        position: { position: 4, file: expect.stringMatching(/^[0-9a-z]+-[0-9a-z]+$/) },
      },
      expect.objectContaining({
        value: Buffer.from('two'),
        position: { position: 8, file: expect.stringMatching(/^[0-9a-z]+-[0-9a-z]+$/) },
      }),
    ]);
  });

  it('keeps a carriage return, empty lines and bytes that are no text', async () => {
    await writeFile(file, Buffer.from('a\r\n\n\xff\x00\n\n', 'latin1'));
    const records = await (await start()).poll(new AbortController().signal);
    expect(records.map((record) => (record.value as Buffer).toString('latin1'))).toEqual(['a\r', '', '\xff\x00', '']);
  });

  it('waits for a file that does not exist yet, and says so', async () => {
    const task = await start();
    expect(await poll(task)).toEqual([]);
    expect(waits).toEqual([`File ${file} does not exist`]);
    await writeFile(file, 'one\n');
    expect(await lines(task, 1)).toEqual(['one']);
    expect(waits.at(-1)).toBeUndefined();
  });

  it('holds a last line back until its newline comes', async () => {
    await writeFile(file, 'one\ntw');
    const task = await start();
    expect(await lines(task, 1)).toEqual(['one']);
    expect(await quiet(task)).toEqual([]);
    await appendFile(file, 'o\nthree');
    expect(await lines(task, 1)).toEqual(['two']);
  });

  it('hands out at most batch.size lines at once', async () => {
    await writeFile(file, 'a\nb\nc\n');
    const task = await start({ 'batch.size': '2' });
    const counts = [(await poll(task)).length, (await poll(task)).length, (await quiet(task)).length];
    expect(counts).toEqual([2, 1, 0]);
  });

  it('reads lines of a megabyte, and the longest that a message can carry', async () => {
    const long = ['x'.repeat(1_000_000), 'y'.repeat(MAX_VALUE_BYTES), 'z'];
    await writeFile(file, `${long.join('\n')}\n`);
    expect(await lines(await start(), 3)).toEqual(long);
  });

  it('names file, offset and limit of a line that no message can carry, after the lines before it', async () => {
    await writeFile(file, `ok\n${'x'.repeat(MAX_VALUE_BYTES + 1)}\n`);
    const task = await start();
    expect(await lines(task, 1)).toEqual(['ok']);
    await expect(poll(task)).rejects.toMatchObject({
      code: 'CONNECT_RECORD_TOO_LARGE',
      message: `File ${file}: The line at offset 3 has more than ${MAX_VALUE_BYTES} bytes, the most that a message can carry.`,
    });
  });

  it('leaves out a line that no message can carry where errors are tolerated, and says so', async () => {
    const long = 'x'.repeat(2 * MAX_VALUE_BYTES);
    await writeFile(file, `one\n${long}\ntwo\n`);
    const task = await start({ 'errors.tolerance': 'all' });
    expect(await lines(task, 2)).toEqual(['one', 'two']);
    expect(warnings).toEqual([
      `skipped: File ${file}: The line at offset 4 has more than ${MAX_VALUE_BYTES} bytes, the most that a message can carry.`,
    ]);
    await appendFile(file, 'three\n');
    await task.stop();
    expect(await lines(await start({ 'errors.tolerance': 'all' }), 1)).toEqual(['three']);
    expect(warnings).toHaveLength(1);
  });

  it('loses no line when a crash in the middle of a poll is followed by a rotation', async () => {
    await writeFile(file, 'one\ntwo\nthree\n');
    const [first] = await poll(await start());
    if (first !== undefined) positions.set(first.partition, first.position);
    await rename(file, `${file}.1`);
    await writeFile(file, 'four\nfive\nsix\nseven\n');
    expect(await lines(await start(), 6)).toEqual(['two', 'three', 'four', 'five', 'six', 'seven']);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['stopped', true],
    ['paused', false],
  ])('reads the files in between when it was %s during several rotations', async (_what, isStopped) => {
    await writeFile(file, 'a1\na2\n');
    let task = await start({ 'batch.size': '1' });
    await lines(task, 1);
    if (isStopped) await task.stop();
    for (const next of ['b', 'c', 'd']) {
      await rename(`${file}.2`, `${file}.3`).catch(() => undefined);
      await rename(`${file}.1`, `${file}.2`).catch(() => undefined);
      await rename(file, `${file}.1`);
      await writeFile(file, `${next}1\n${next}2\n`);
    }
    if (isStopped) task = await start();
    expect(await lines(task, 7)).toEqual(['a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2']);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['stopped', true],
    ['running', false],
  ])('leaves the logs of other processes beside its file alone when it was %s during a rotation', async (_what, isStopped) => {
    const others = [1, 2, 3].map((n) => join(folder, `app-${n}.log`));
    for (const other of others) await writeFile(other, 'other\n');
    await writeFile(file, 'one\n');
    let task = await start();
    await lines(task, 1);
    if (isStopped) await task.stop();
    await rename(file, `${file}.1`);
    await writeFile(file, 'two\n');
    for (const other of others) await appendFile(other, 'other\n');
    if (isStopped) task = await start();
    expect(await lines(task, 1)).toEqual(['two']);
    expect(await quiet(task)).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('warns of a rotated file that was compressed before it was read', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await rename(file, `${file}.2`);
    await writeFile(`${file}.1.gz`, 'packed');
    await writeFile(file, 'three\n');
    expect(await lines(task, 1)).toEqual(['three']);
    expect(warnings).toEqual([expect.stringContaining(`their lines are missing: ${file}.1.gz.`)]);
  });

  it.each([
    ['after that', (rotated: string) => promisify(execFile)('gzip', [rotated])],
    ['and the tool is not done yet', (rotated: string) => writeFile(`${rotated}.gz`, 'pack')],
  ])('does not warn of a file that it read to its end and that was compressed %s', async (_when, compress) => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await rename(file, `${file}.1`);
    await writeFile(file, '');
    await compress(`${file}.1`);
    await appendFile(file, 'two\n');
    expect(await lines(task, 1)).toEqual(['two']);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['rotated', (rotated: string) => rename(file, rotated)],
    ['copied and truncated', (rotated: string) => copyFile(file, rotated).then(() => truncate(file, 0))],
  ])('names the compressed file that has lines which it missed when its file was %s', async (_how, rotate) => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await task.stop();
    await appendFile(file, 'missed\n');
    await rotate(`${file}.1`);
    await promisify(execFile)('gzip', [`${file}.1`]);
    await writeFile(file, 'two\n');
    expect(await lines(await start(), 1)).toEqual(['two']);
    expect(warnings).toEqual([expect.stringContaining(`which may have these lines: ${file}.1.gz.`)]);
  });

  it('reads the file between two rotations also when a tool compresses the one that it resumed in', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await task.stop();
    await appendFile(file, 'rest\n');
    // Files of one time would be ambiguous.
    const before = Date.now() / 1000 - 5;
    await utimes(file, before, before);
    await rename(file, `${file}.2`);
    await writeFile(`${file}.1`, 'two\n');
    await writeFile(file, 'three\n');
    const next = await start();
    expect(await lines(next, 1)).toEqual(['rest']);
    await promisify(execFile)('gzip', [`${file}.2`]);
    expect(await lines(next, 2)).toEqual(['two', 'three']);
    expect(warnings).toEqual([]);
  });

  it('names all compressed files of one time, of which it cannot tell which one it read', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    const at = Math.floor(Date.now() / 1000) - 5;
    await utimes(file, at, at);
    for (const packed of [`${file}.2.gz`, `${file}.1.gz`]) {
      await writeFile(packed, 'packed');
      await utimes(packed, at, at);
    }
    await unlink(file);
    await writeFile(file, 'three\n');
    expect(await lines(task, 1)).toEqual(['three']);
    expect(warnings).toEqual([expect.stringContaining(`${file}.1.gz`)]);
  });

  const fixedWidth = (from: number, count: number): string =>
    Array.from({ length: count }, (_, n) => `${String(from + n).padStart(8, '0')}\n`).join('');

  it.each([
    ['stopped', true],
    ['running', false],
  ])('reads the copy and then the file that was copied and truncated while it was %s', async (_what, isStopped) => {
    await writeFile(file, fixedWidth(0, 100));
    let task = await start({ 'batch.size': '50' });
    await lines(task, 50);
    if (isStopped) await task.stop();
    await copyFile(file, `${file}.1`);
    await truncate(file, 0);
    await appendFile(file, fixedWidth(100, 150));
    if (isStopped) task = await start();
    const rest = await lines(task, 200);
    expect(rest.map(Number)).toEqual(Array.from({ length: 200 }, (_, n) => 50 + n));
    expect(warnings).toEqual([]);
  });

  it('reads a file again whose lines of the same width were replaced, with a warning', async () => {
    await writeFile(file, fixedWidth(0, 100));
    const task = await start();
    await lines(task, 100);
    await truncate(file, 0);
    await appendFile(file, fixedWidth(100, 150));
    expect((await lines(task, 150)).map(Number)).toEqual(Array.from({ length: 150 }, (_, n) => 100 + n));
    expect(warnings).toEqual([expect.stringContaining('has other bytes before offset 900')]);
  });

  it('finishes a rotated file, its open last line too, and continues with the new one', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    expect(await lines(task, 1)).toEqual(['one']);
    await appendFile(file, 'two\n');
    await rename(file, `${file}.1`);
    await writeFile(file, '');
    await appendFile(`${file}.1`, 'three\nfour');
    expect(await lines(task, 2)).toEqual(['two', 'three']);
    await writeFile(file, 'five\n');
    expect(await lines(task, 2)).toEqual(['four', 'five']);
    await appendFile(file, 'six\n');
    expect(await lines(task, 1)).toEqual(['six']);
  });

  it('finishes a file that was rotated while no task ran', async () => {
    await writeFile(file, 'one\ntwo\n');
    const task = await start({ 'batch.size': '1' });
    await lines(task, 1);
    await task.stop();
    await rename(file, `${file}.1`);
    await writeFile(file, 'three\nfour\n');
    expect(await lines(await start(), 3)).toEqual(['two', 'three', 'four']);
    expect(await quiet(await start())).toEqual([]);
  });

  it('resumes in the new file after a stop right at the end of a rotated one', async () => {
    await writeFile(file, 'one');
    const task = await start();
    await quiet(task);
    await rename(file, `${file}.1`);
    await writeFile(file, 'two\n');
    expect(await lines(task, 1)).toEqual(['one']);
    await task.stop();
    expect(await lines(await start(), 1)).toEqual(['two']);
  });

  it('reads a new file from its start, with a warning, when the rotated one is gone', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await writeFile(join(folder, 'occupies-the-inode'), '');
    await rename(file, join(folder, 'elsewhere'));
    await writeFile(file, 'two\nthree\n');
    await task.stop();
    expect(await lines(await start(), 2)).toEqual(['two', 'three']);
    expect(warnings).toEqual([expect.stringContaining(`File ${file} is not the one that was read up to offset 4, and no rotated file`)]);
  });

  it('waits with a stored position until the file is there again', async () => {
    await writeFile(file, 'one\ntwo\n');
    await lines(await start(), 2);
    await rename(file, join(folder, 'away'));
    const task = await start();
    expect(await quiet(task)).toEqual([]);
    await appendFile(join(folder, 'away'), 'three\n');
    await rename(join(folder, 'away'), file);
    expect(await lines(task, 1)).toEqual(['three']);
  });

  it('starts again at the start of a truncated file, with a warning', async () => {
    await writeFile(file, 'one\ntwo\n');
    const task = await start();
    await lines(task, 2);
    await truncate(file, 0);
    await quiet(task);
    await appendFile(file, 'three\n');
    expect(await lines(task, 1)).toEqual(['three']);
    expect(warnings).toEqual([expect.stringContaining(`File ${file} is shorter than offset 8, up to which it was read`)]);
  });

  it('notices a file that was truncated and has grown beyond the position, by the bytes before it', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await task.stop();
    await writeFile(file, 'two\nthree\n');
    expect(await lines(await start(), 2)).toEqual(['two', 'three']);
    expect(warnings).toHaveLength(1);
  });

  it('takes a position that a user set, without an inode', async () => {
    await writeFile(file, 'one\ntwo\n');
    positions.set({ filename: file }, { position: 4 });
    expect(await lines(await start(), 1)).toEqual(['two']);
  });

  it.each(['four', 2n ** 60n])('refuses the position %p', async (position) => {
    positions.set({ filename: file }, { position });
    await expect(start()).rejects.toMatchObject({ code: 'CONNECT_POSITION_INVALID' });
  });

  it('refuses what is no regular file', async () => {
    await expect(start({ file: folder })).rejects.toThrow(`${folder} cannot be followed: it is not a regular file.`);
  });

  it('follows on when its file is deleted and created again', async () => {
    await writeFile(file, 'one\n');
    const task = await start();
    await lines(task, 1);
    await unlink(file);
    expect(await poll(task)).toEqual([]);
    expect(waits.at(-1)).toBe(`File ${file} does not exist`);
    await writeFile(file, 'two\n');
    expect(await lines(task, 1)).toEqual(['two']);
  });

  it.each(['follow-a-log.json', 'source-as-in-rocketmq-connect.json'])('accepts the example %s', async (name) => {
    const example = JSON.parse(await readFile(new URL(`../../examples/${name}`, import.meta.url), 'utf8')) as {
      readonly config: Record<string, string>;
    };
    const common = new Set(['connector.class', 'tasks.max']);
    const parsed = parseConfig(fileSourceSpec, example.config, { isKnownElsewhere: (key) => common.has(key) });
    expect(parsed).toMatchObject({ ok: true, warnings: [] });
    const names = [fileStreamSource.name, ...fileStreamSource.aliases];
    expect(names).toContain(example.config['connector.class']);
  });
});
