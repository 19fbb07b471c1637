import { describe, expect, it } from '@jest/globals';
import { RetriableError, type SinkConnector, type SinkTask } from '@sluice/sdk';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { FakePositions } from '../testing/fake-stores.js';
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
});
