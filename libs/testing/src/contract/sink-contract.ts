import { deepEqual, ok, rejects } from 'node:assert/strict';
import { connectorCases } from './connector-cases.js';
import type { ContractCase } from './contract-case.js';
import { sinkSafetyCases } from './sink-safety-cases.js';
import {
  BY_TIME,
  EVERYTHING,
  flushAll,
  nextOffset,
  otherQueue,
  positionOf,
  queue,
  records,
  signal,
  type SinkContractSubject,
  startTask,
  VALUES,
  withFixture,
  withTask,
} from './sink-subject.js';
import { sinkTestContext } from './task-contexts.js';

export type { SinkContractSubject, SinkFixture } from './sink-subject.js';

/** Lists the facts that the runtime relies on in every sink connector. */
export function sinkContract(subject: SinkContractSubject): readonly ContractCase[] {
  return [
    ...connectorCases({
      connector: subject.connector,
      withConfig: (body) => withFixture(subject, ({ config }) => body(config)),
    }),
    {
      title: 'has written everything once flushed, in the order of each queue',
      run: () =>
        withFixture(subject, async (fixture) => {
          await withTask(subject, fixture, [queue, otherQueue], async (task) => {
            await task.put([...records(queue, 0, 3), ...records(otherQueue, 3, 5)], signal);
            await task.put([], signal);
            await flushAll(task, [positionOf(queue, 3), positionOf(otherQueue, 5)]);
            deepEqual(await fixture.read(), VALUES);
          });
        }),
    },
    {
      title: 'resumes after a stop at any record without loss or duplicates',
      run: async () => {
        for (let stopAfter = 0; stopAfter <= VALUES.length; stopAfter += 1) {
          await withFixture(subject, async (fixture) => {
            await withTask(subject, fixture, [queue], async (task) => {
              await task.put(records(queue, 0, stopAfter), signal);
              await flushAll(task, [positionOf(queue, stopAfter)]);
              await task.close([queue]);
            });
            await withTask(subject, fixture, [queue], async (task, positions) => {
              const from = nextOffset(positions) ?? stopAfter;
              await task.put(records(queue, from, VALUES.length), signal);
              await flushAll(task, [positionOf(queue, VALUES.length)]);
            });
            deepEqual(await fixture.read(), VALUES);
          });
        }
      },
    },
    {
      title: subject.storesOffsets
        ? 'neither loses nor duplicates a record when its process dies between two flushes'
        : 'loses no record when its process dies between two flushes',
      run: () =>
        withFixture(subject, async (fixture) => {
          const dead = await startTask(subject, fixture);
          await dead.open([queue]);
          await dead.put(records(queue, 0, 2), signal);
          await flushAll(dead, [positionOf(queue, 2)]);
          await dead.put(records(queue, 2, 4), signal);
          await fixture.afterCrash?.();
          await withTask(subject, fixture, [queue], async (task, positions) => {
            const from = nextOffset(positions) ?? 2;
            await task.put(records(queue, from, VALUES.length), signal);
            await flushAll(task, [positionOf(queue, VALUES.length)]);
          });
          const written = await fixture.read();
          if (subject.storesOffsets) deepEqual(written, VALUES);
          else for (const value of VALUES) ok(written.includes(value), `${value} is missing`);
          await dead.stop();
        }),
    },
    {
      title: 'takes the same flush twice, and one without records',
      run: () =>
        withFixture(subject, async (fixture) => {
          await withTask(subject, fixture, [queue], async (task) => {
            await task.flush([], signal, BY_TIME);
            await task.put(records(queue, 0, VALUES.length), signal);
            await flushAll(task, [positionOf(queue, VALUES.length)]);
            await flushAll(task, [positionOf(queue, VALUES.length)]);
            await task.flush([positionOf(queue, VALUES.length + 7)], signal, BY_TIME);
          });
          deepEqual(await fixture.read(), VALUES);
        }),
    },
    ...sinkSafetyCases(subject),
    ...(subject.storesOffsets ? [returnsReadState(subject), reopensQueue(subject), followsReset(subject)] : []),
    {
      title: 'can be stopped without a start, before it owns a queue, and after a start that failed',
      run: async () => {
        await subject.connector.createTask().stop();
        await withFixture(subject, async (fixture) => {
          await (await startTask(subject, fixture)).stop();
        });
        const { brokenConfig } = subject;
        if (brokenConfig === undefined) return;
        const task = subject.connector.createTask();
        await rejects(async () => task.start(sinkTestContext({ config: brokenConfig })));
        await task.stop();
      },
    },
  ];
}

function returnsReadState(subject: SinkContractSubject): ContractCase {
  return {
    title: 'returns offsets and read states of the queues it is asked for, as they were flushed',
    run: () =>
      withFixture(subject, async (fixture) => {
        await withTask(subject, fixture, [queue, otherQueue], async (task, positions) => {
          deepEqual(positions, []);
          await task.put(records(queue, 0, 1), signal);
          await task.flush([{ ...positionOf(queue, 1), readState: '{"x":1}' }, positionOf(otherQueue, 9)], signal, EVERYTHING);
        });
        await withTask(subject, fixture, [queue], (_task, positions) => {
          deepEqual(positions, [{ ...positionOf(queue, 1), readState: '{"x":1}' }]);
          return Promise.resolve();
        });
      }),
  };
}

function reopensQueue(subject: SinkContractSubject): ContractCase {
  return {
    title: 'forgets what was put and not flushed when a queue is given up and comes back',
    run: () =>
      withFixture(subject, async (fixture) => {
        await withTask(subject, fixture, [queue], async (task) => {
          await task.put(records(queue, 0, 1), signal);
          await flushAll(task, [positionOf(queue, 1)]);
          await task.put(records(queue, 1, 3), signal);
          await task.close([queue]);
          deepEqual(await task.open([queue]), [positionOf(queue, 1)]);
          await task.put(records(queue, 1, VALUES.length), signal);
          await flushAll(task, [positionOf(queue, VALUES.length)]);
        });
        deepEqual(await fixture.read(), VALUES);
      }),
  };
}

function followsReset(subject: SinkContractSubject): ContractCase {
  return {
    title: 'resumes where an operator has reset a queue to, before what it wrote or after it',
    run: async () => {
      for (const to of [1, 4]) {
        await withFixture(subject, async (fixture) => {
          await withTask(subject, fixture, [queue], async (task) => {
            await task.put(records(queue, 0, 2), signal);
            await task.flush([{ ...positionOf(queue, 2), readState: 'old' }], signal, EVERYTHING);
            await task.flush([positionOf(queue, to)], signal, BY_TIME);
          });
          await withTask(subject, fixture, [queue], async (task, positions) => {
            deepEqual(positions, [positionOf(queue, to)]);
            await task.put(records(queue, to, VALUES.length), signal);
            await flushAll(task, [positionOf(queue, VALUES.length)]);
          });
          const written = await fixture.read();
          for (const value of VALUES.slice(to)) ok(written.includes(value), `${value} is missing`);
        });
      }
    },
  };
}
