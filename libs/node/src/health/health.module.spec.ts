import { describe, expect, it, jest } from '@jest/globals';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { EventLoopWatch } from './event-loop-watch.js';
import { HealthModule } from './health.module.js';
import type { HealthChecks } from './health-check.js';

async function answersOf(checks: HealthChecks): Promise<Record<'live' | 'ready', { status: number; body: unknown }>> {
  const app = await NestFactory.create(HealthModule.forChecks(checks), { logger: false });
  try {
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const ask = async (probe: string): Promise<{ status: number; body: unknown }> => {
      const answer = await fetch(`${url}/health/${probe}`);
      return { status: answer.status, body: await answer.json() };
    };
    return { live: await ask('live'), ready: await ask('ready') };
  } finally {
    await app.close();
  }
}

const up = { name: 'log', check: () => ({ seq: 3 }) };
const full = {
  name: 'store',
  check: () => {
    throw new Error('the disk is full');
  },
};

describe('the health routes', () => {
  it('answer 200 where every check is up, with what each found', async () => {
    const { live, ready } = await answersOf({ live: [], ready: [up] });
    expect(live).toMatchObject({ status: 200, body: { details: { 'event-loop': { status: 'up' } } } });
    expect(ready).toMatchObject({ status: 200, body: { status: 'ok', details: { log: { status: 'up', seq: 3 } } } });
  });

  it('answer 503 where one is down; what a node is not ready for does not make it dead', async () => {
    const { live, ready } = await answersOf({ live: [], ready: [up, full] });
    expect(live.status).toBe(200);
    expect(ready).toMatchObject({
      status: 503,
      body: { details: { log: { status: 'up' }, store: { status: 'down', reason: 'the disk is full' } } },
    });
    expect((await answersOf({ live: [full], ready: [] })).live.status).toBe(503);
  });

  it('watch the event loop as long as the application runs', async () => {
    const started = jest.spyOn(EventLoopWatch.prototype, 'onModuleInit');
    const ended = jest.spyOn(EventLoopWatch.prototype, 'onModuleDestroy');
    await answersOf({ live: [], ready: [] });
    expect([started.mock.calls.length, ended.mock.calls.length]).toEqual([1, 1]);
    started.mockRestore();
    ended.mockRestore();
  });
});
