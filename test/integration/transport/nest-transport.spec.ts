import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestMicroservice, Injectable, Module, type PipeTransform } from '@nestjs/common';
import { BadRequestException, Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions, Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { firstValueFrom, of, toArray } from 'rxjs';
import { RocketMqClientProxy, RocketMqContext, RocketMqServer, RpcEndpoint, RpcErrorFilter } from '../../../libs/rpc/src/index.js';
import { eventually } from './eventually.js';
import { RpcCluster } from './rpc-cluster.js';

const seen: { name: string; attempt: number }[] = [];
let ackedBeforeSuccess = -1;
let serving: RpcEndpoint;

/** Fails as Nest's ValidationPipe does. */
@Injectable()
class PositiveCount implements PipeTransform {
  transform(value: { count: number }): { count: number } {
    if (value.count > 0) return value;
    throw new BadRequestException(['count must be a positive number']);
  }
}

@Controller()
class PluginsController {
  @MessagePattern('plugins.list')
  list(@Payload() data: { kind: string }, @Ctx() context: RocketMqContext): unknown {
    return {
      kind: data.kind,
      pattern: context.getPattern(),
      attempt: context.getDeliveryAttempt(),
      metadata: context.getMetadata(),
    };
  }

  @MessagePattern({ cmd: 'sum' })
  sum(@Payload() numbers: number[]): unknown {
    return of(
      0,
      numbers.reduce((sum, number) => sum + number, 0),
    );
  }

  @MessagePattern('config.validate')
  validate(@Payload(PositiveCount) data: { count: number }): unknown {
    return data;
  }

  @MessagePattern('fails.typed')
  failTyped(): unknown {
    throw new RpcException({ code: 'CONNECT_CONFIG_INVALID', message: "topic is ''", details: [{ field: 'topic' }] });
  }

  @MessagePattern('fails.plainly')
  async failPlainly(): Promise<unknown> {
    return Promise.reject(new TypeError('no such file'));
  }

  // Without the type argument the overload for typed event maps is taken, which refuses a second parameter.
  @EventPattern<'node.changed'>('node.changed')
  changed(@Payload() data: { name: string }, @Ctx() context: RocketMqContext): void {
    seen.push({ name: data.name, attempt: context.getDeliveryAttempt() });
    if (data.name === 'flaky' && context.getDeliveryAttempt() === 1) throw new Error('not yet');
    ackedBeforeSuccess = serving.counters.received - serving.counters.acked;
  }
}

let cluster: RpcCluster;

@Module({
  controllers: [PluginsController],
  providers: [
    { provide: RpcEndpoint, useFactory: () => cluster.endpoint('runner-1') },
    {
      provide: RocketMqClientProxy,
      useFactory: (endpoint: RpcEndpoint) => new RocketMqClientProxy(endpoint),
      inject: [RpcEndpoint],
    },
  ],
})
class RunnerModule {}

describe('Nest controllers on RocketMQ', () => {
  let app: INestMicroservice;
  let asking: RpcEndpoint;
  let client: RocketMqClientProxy;

  beforeAll(async () => {
    cluster = await RpcCluster.create();
    app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(RunnerModule, {
      logger: false,
      useFactory: (endpoint: RpcEndpoint) => ({ strategy: new RocketMqServer(endpoint) }),
      inject: [RpcEndpoint],
    });
    app.useGlobalFilters(new RpcErrorFilter());
    await app.listen();
    serving = app.get(RpcEndpoint);
    asking = cluster.endpoint('gateway-1');
    client = new RocketMqClientProxy(asking);
  }, 180_000);

  beforeEach(() => {
    seen.length = 0;
  });

  afterAll(async () => {
    await app.close();
    await cluster.close();
  }, 180_000);

  const send = (pattern: string | Record<string, string>, data: unknown): Promise<unknown> =>
    firstValueFrom(client.send({ node: 'runner-1', pattern, timeoutMs: 30_000 }, data));

  it('answers a message pattern, with its context', async () => {
    client.setOnDispatchHook((packet) => {
      packet.metadata = { traceparent: '00-1' };
    });
    await expect(send('plugins.list', { kind: 'source' })).resolves.toEqual({
      kind: 'source',
      pattern: 'plugins.list',
      attempt: 1,
      metadata: { traceparent: '00-1' },
    });
  });

  it('finds object patterns, and answers an observable with its last value, once', async () => {
    const values = await firstValueFrom(client.send({ node: 'runner-1', pattern: { cmd: 'sum' } }, [1, 2, 3]).pipe(toArray()));
    expect(values).toEqual([6]);
  });

  it("gives an RpcException's code, message and details to the caller", async () => {
    await expect(send('fails.typed', {})).rejects.toMatchObject({
      name: 'RpcError',
      code: 'CONNECT_CONFIG_INVALID',
      message: "topic is ''",
      details: [{ field: 'topic' }],
    });
  });

  it('gives a validation failure to the caller, field by field', async () => {
    await expect(send('config.validate', { count: 0 })).rejects.toMatchObject({
      code: 'RPC_INVALID_REQUEST',
      message: 'count must be a positive number',
      details: ['count must be a positive number'],
    });
    await expect(send('config.validate', { count: 1 })).resolves.toEqual({ count: 1 });
  });

  it('gives the message of any other error to the caller, never its stack', async () => {
    const error: unknown = await send('fails.plainly', {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RPC_HANDLER_FAILED', message: 'no such file', details: undefined });
  });

  it('answers an unknown pattern, and an event pattern that is asked like a message, with an error', async () => {
    await expect(send('nobody.knows', {})).rejects.toMatchObject({ code: 'RPC_UNKNOWN_PATTERN' });
    await expect(send('node.changed', { name: 'x' })).rejects.toMatchObject({ code: 'RPC_UNKNOWN_PATTERN' });
    expect(seen).toEqual([]);
  });

  it('acknowledges an event only after its handler succeeded, and delivers it again after a failure', async () => {
    await firstValueFrom(client.emit({ node: 'runner-1', pattern: 'node.changed' }, { name: 'flaky' }), {
      defaultValue: undefined,
    });
    await eventually('a second delivery', () => seen.length === 2, 25_000);
    expect(seen[0]).toEqual({ name: 'flaky', attempt: 1 });
    expect(seen[1]?.attempt).toBeGreaterThan(1);
    expect(ackedBeforeSuccess).toBeGreaterThanOrEqual(1);
    await eventually('its acknowledgement', () => serving.counters.acked === serving.counters.received - 1);
  }, 180_000);

  it('sends an emitted event that nobody subscribes to', async () => {
    client.emit({ node: 'runner-1', pattern: 'node.changed' }, { name: 'unwatched' });
    await eventually('the event', () => seen.some(({ name }) => name === 'unwatched'));
  });

  it('sends nothing before the subscription, and forgets the request when unsubscribed', async () => {
    const sentBefore = asking.counters.requestsSent;
    const reply = client.send({ node: 'ghost', pattern: 'ping' }, {});
    expect(asking.counters.requestsSent).toBe(sentBefore);
    const subscription = reply.subscribe();
    await eventually('the request waiting', () => asking.pendingRequests === 1);
    subscription.unsubscribe();
    expect(asking.pendingRequests).toBe(0);
  });

  it('lets an app that is a server be a client too, over the same endpoint', async () => {
    const own = app.get(RocketMqClientProxy);
    await expect(firstValueFrom(own.send({ node: 'runner-1', pattern: { cmd: 'sum' } }, [4, 5]))).resolves.toBe(9);
    expect(own.unwrap<RpcEndpoint>()).toBe(serving);
  });

  it('stops the endpoint when the app closes', async () => {
    await app.close();
    await expect(serving.request({ node: 'gateway-1', pattern: 'x' }, {})).rejects.toMatchObject({
      code: 'RPC_STOPPED',
    });
  });
});
