import { describe, expect, it } from '@jest/globals';
import { RetriableError, type SinkConnector, type SinkTask, type SourceConnector } from '@sluice/sdk';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { FakePositions } from '../testing/fake-stores.js';
import { listOf, SourceWorld } from '../testing/source-world.js';
import { SinkWorld } from '../testing/sink-world.js';
import { createTaskLoop } from './create-task-loop.js';

const secret = 'open-sesame-of-forty-thieves';

function vault(task: SinkTask): SinkConnector {
  return {
    kind: 'sink',
    name: 'Vault',
    aliases: [],
    version: '1.0.0',
    doc: 'For this test.',
    spec: { pin: { type: 'password', importance: 'high', doc: 'A secret by its type.' } },
    taskConfigs: (config) => [config],
    createTask: () => task,
  };
}

describe('createTaskLoop', () => {
  it('takes secrets out of what a task logs, warns of, waits for and fails with, before a text is cut', async () => {
    const world = new SinkWorld();
    world.cluster.addTopic('t', 1);
    let isDown = true;
    const connector = vault({
      start: (context) => {
        context.logger.info(`logs in with ${secret}`);
        context.warn(`${'x'.repeat(990)}${secret}`);
        return Promise.resolve();
      },
      open: () => (isDown ? Promise.reject(new RetriableError(`${'x'.repeat(490)}${secret} is refused`)) : Promise.resolve([])),
      put: () => Promise.resolve(),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      stop: () => Promise.reject(new Error(`${secret} is still in use`)),
    });
    const loop = createTaskLoop(
      {
        id: { connector: 'c', index: 0 },
        generation: 1,
        type: 'sink',
        config: { name: 'c', 'connector.class': 'Vault', topics: 't', 'sluice.task.count': '1', pin: secret },
        paused: false,
        committed: false,
      },
      new PluginRegistry([connector]),
      {
        producer: () => world.cluster.producer,
        messages: world.cluster.messages,
        positions: new FakePositions(),
        offsets: world.offsets,
        lease: world.lease,
        clock: world.clock,
        groupOf: () => 'g',
        loggerOf: () => world.logger,
        requestTaskReconfiguration: () => undefined,
      },
    );
    let isStarted = false;
    void loop.start().then(() => (isStarted = true));
    await world.clock.settle();
    expect(loop.waits.list).toHaveLength(1);
    expect(loop.warnings.list).toHaveLength(1);
    const kept = JSON.stringify([loop.waits.list, loop.warnings.list]);
    isDown = false;
    await world.clock.until(() => isStarted);
    let isEnded = false;
    void loop.stop().then(() => (isEnded = true));
    await world.clock.until(() => isEnded);
    const text = world.logger.lines.join('\n');
    for (const part of ['logs in with', 'of open failed', 'stop failed', 'is still in use']) expect(text).toContain(part);
    expect(`${kept}${text}`).not.toContain('sesame');
    expect(kept).not.toContain('xopen');
  });

  it.each([
    ['partition', 1],
    ['key', 4],
  ])('has a source choose queues by %s', async (by, used) => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 4);
    const source = world.source({ a: listOf(100) });
    const poll = source.poll.bind(source);
    source.poll = async (signal) => (await poll(signal)).map((record) => ({ ...record, key: record.value }));
    const connector: SourceConnector = {
      kind: 'source',
      name: 'Lists',
      aliases: [],
      version: '1.0.0',
      doc: 'For this test.',
      spec: {},
      taskConfigs: (config) => [config],
      createTask: () => source,
    };
    world.positions.owners = { asOf: 1, live: new Map([[0, 1]]), tasksSince: 0 };
    const loop = createTaskLoop(
      {
        id: { connector: 'lists', index: 0 },
        generation: 1,
        type: 'source',
        config: { name: 'lists', 'connector.class': 'Lists', 'queue.by': by },
        paused: false,
        committed: false,
      },
      new PluginRegistry([connector]),
      {
        producer: () => world.cluster.producer,
        messages: world.cluster.messages,
        positions: world.positions,
        offsets: new SinkWorld().offsets,
        lease: world.lease,
        clock: world.clock,
        groupOf: () => 'g',
        loggerOf: () => world.logger,
        requestTaskReconfiguration: () => undefined,
      },
    );
    await loop.start();
    await world.clock.until(() => loop.counters.recordsSent === 100);
    void loop.stop();
    await loop.ended;
    expect(queues.filter((queue) => world.cluster.queue(queue).messages.length > 0)).toHaveLength(used);
  });
});
