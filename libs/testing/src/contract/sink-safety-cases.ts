import { deepEqual, ok } from 'node:assert/strict';
import type { SinkPosition } from '@sluice/sdk';
import type { ContractCase } from './contract-case.js';
import {
  BY_TIME,
  EVERYTHING,
  flushAll,
  nextOffset,
  otherQueue,
  positionOf,
  queue,
  records,
  requireRetriable,
  signal,
  type SinkContractSubject,
  startTask,
  VALUES,
  withFixture,
  withTask,
} from './sink-subject.js';

const PROMPT_MS = 2_000;

/** Lists the facts about what a sink holds back, and about what it asks of the runtime. */
export function sinkSafetyCases(subject: SinkContractSubject): readonly ContractCase[] {
  return [
    reportsWhatIsSafe(subject),
    writesEverything(subject),
    ticks(subject),
    asksWithinLimits(subject),
    repeatsRefused(subject),
    seeksLost(subject),
  ];
}

function reportsWhatIsSafe(subject: SinkContractSubject): ContractCase {
  return {
    title: 'reports as safe, of the queues it has opened, only what is still there after a crash',
    run: () =>
      withFixture(subject, async (fixture) => {
        const dead = await startTask(subject, fixture);
        await dead.open([queue]);
        let last = 0;
        for (let put = 1; put < VALUES.length; put += 1) {
          await dead.put(records(queue, put - 1, put), signal);
          const answer = (await dead.flush([positionOf(queue, put)], signal, BY_TIME)) ?? [positionOf(queue, put)];
          for (const position of answer) deepEqual(position.queue, queue);
          const safe = nextOffset(answer) ?? last;
          ok(safe >= last && safe <= put, `offset ${safe} is reported as safe, after ${last}, where ${put} records were put`);
          last = safe;
        }
        await fixture.afterCrash?.();
        await withTask(subject, fixture, [queue], async (task, positions) => {
          await task.put(records(queue, nextOffset(positions) ?? last, VALUES.length), signal);
          await flushAll(task, [positionOf(queue, VALUES.length)]);
        });
        const written = await fixture.read();
        for (const value of VALUES) ok(written.includes(value), `${value} is missing`);
        await dead.stop();
      }),
  };
}

function writesEverything(subject: SinkContractSubject): ContractCase {
  return {
    title: 'has written everything soon after everything was asked for',
    run: () =>
      withFixture(subject, async (fixture) => {
        await withTask(subject, fixture, [queue, otherQueue], async (task) => {
          await task.put(records(queue, 0, 1), signal);
          await task.flush([positionOf(queue, 1), positionOf(otherQueue, 0)], signal, BY_TIME);
          await flushAll(task, [positionOf(queue, 1)]);
          deepEqual(await fixture.read(), VALUES.slice(0, 1));
          await task.put([...records(queue, 1, 3), ...records(otherQueue, 3, 5)], signal);
          await flushAll(task, [positionOf(queue, 3), positionOf(otherQueue, 5)]);
          deepEqual(await fixture.read(), VALUES);
        });
      }),
  };
}

function ticks(subject: SinkContractSubject): ContractCase {
  return {
    title: 'neither loses nor repeats a record where it ticks between calls, and ends a tick promptly when its signal is aborted',
    run: () =>
      withFixture(subject, async (fixture) => {
        await withTask(subject, fixture, [queue], async (task) => {
          await task.tick?.(signal);
          for (let put = 1; put <= VALUES.length; put += 1) {
            await task.put(records(queue, put - 1, put), signal);
            await task.tick?.(signal);
            if (put === 2) await task.flush([positionOf(queue, put)], signal, BY_TIME);
            await task.tick?.(signal);
          }
          const beganMs = performance.now();
          await task.tick?.(AbortSignal.abort(new Error('The task was asked to stop'))).catch(() => undefined);
          ok(performance.now() - beganMs < PROMPT_MS, `an aborted tick took longer than ${PROMPT_MS} ms`);
          await flushAll(task, [positionOf(queue, VALUES.length)]);
        });
        deepEqual(await fixture.read(), VALUES);
      }),
  };
}

function asksWithinLimits(subject: SinkContractSubject): ContractCase {
  return {
    title: 'pauses, resumes and seeks only in queues that it has opened, and asks to be called again within limits',
    run: () =>
      withFixture(subject, async (fixture) => {
        await fixture.refuseOnce?.();
        await withTask(subject, fixture, [queue], async (task) => {
          await task.put(records(queue, 0, 1), signal).catch(requireRetriable);
          await Promise.resolve(task.flush([positionOf(queue, 1)], signal, EVERYTHING)).catch(requireRetriable);
        });
      }),
  };
}

function repeatsRefused(subject: SinkContractSubject): ContractCase {
  return {
    title: 'fails with a retriable error where its system refuses a write, and writes each record once when it is called again',
    run: () =>
      withFixture(subject, async (fixture) => {
        if (fixture.refuseOnce === undefined) return;
        await fixture.refuseOnce();
        await withTask(subject, fixture, [queue], async (task) => {
          let left = records(queue, 0, VALUES.length);
          let failures = 0;
          const noted = (error: unknown): void => {
            requireRetriable(error);
            failures += 1;
            left = left.slice((error as { readonly firstUnwritten?: number }).firstUnwritten ?? 0);
          };
          await task.put(left, signal).then(() => {
            left = [];
          }, noted);
          if (failures > 0) await task.put(left, signal);
          await flushAll(task, [positionOf(queue, VALUES.length)], noted);
          ok(failures > 0, 'neither put nor flush has failed');
        });
        deepEqual(await fixture.read(), VALUES);
      }),
  };
}

function seeksLost(subject: SinkContractSubject): ContractCase {
  return {
    title: 'seeks to what its system has lost, and writes it again',
    run: () =>
      withFixture(subject, async (fixture) => {
        if (fixture.loseLast === undefined) return;
        const seeks: SinkPosition[] = [];
        const task = await startTask(subject, fixture, seeks);
        try {
          await task.open([queue]);
          await task.put(records(queue, 0, 3), signal);
          await flushAll(task, [positionOf(queue, 3)]);
          await fixture.loseLast();
          await task.put(records(queue, 3, 4), signal);
          const to = seeks.at(-1)?.nextOffset;
          ok(to !== undefined && to <= 2, `the record at offset 2 is lost, and the task seeks to ${to}`);
          await task.flush([positionOf(queue, 4)], signal, EVERYTHING);
          await task.flush([positionOf(queue, to)], signal, BY_TIME);
          await task.put(records(queue, to, VALUES.length), signal);
          await flushAll(task, [positionOf(queue, VALUES.length)]);
        } finally {
          await task.stop();
        }
        const written = await fixture.read();
        for (const value of VALUES) ok(written.includes(value), `${value} is missing`);
      }),
  };
}
