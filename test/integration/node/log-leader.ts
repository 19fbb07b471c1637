import {
  emptyState,
  initialCoordinator,
  step,
  type CommandBody,
  type CoordinatorSettings,
  type CoordinatorState,
  type Effect,
  type InputBody,
} from '@sluice/core';
import { HeadWatch, LogFollower, readClocks, type ScopedLogger } from '@sluice/node';
import { encodeLogChain } from '@sluice/protocol';
import { BatchEncoder, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';

const TICK_MS = 20;
const HEAD_INTERVAL_MS = 200;

/** A leader on a real log without the services around it: what it decides is stored, what is stored is read back. */
export class LogLeader {
  #state: CoordinatorState;
  readonly #follower: LogFollower;
  readonly #head: HeadWatch;
  readonly #signal = AbortSignal.timeout(60_000);
  #running: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  readonly #appending = new Set<Promise<void>>();
  #isStopping = false;
  #commandOffset = 0;

  constructor(
    private readonly client: RocketMqClient,
    private readonly queue: QueueRef,
    group: string,
    logger: ScopedLogger,
    settings: Partial<CoordinatorSettings>,
  ) {
    this.#follower = new LogFollower(client, queue, group, emptyState(), logger);
    const onReached = (sentAt: number): void => {
      this.#input({ kind: 'head.reached', sentAt, minOffset: this.#follower.minOffset });
    };
    this.#head = new HeadWatch(this.#follower, { intervalMs: HEAD_INTERVAL_MS, onReached }, logger);
    this.#state = initialCoordinator({ nodeId: 'c1', incarnation: 'c1#1' }, this.#follower.state, readClocks(), {
      reportQueues: 1,
      ...settings,
    });
  }

  get isLeading(): boolean {
    return this.#state.role === 'leader';
  }

  get cluster(): CoordinatorState['cluster'] {
    return this.#state.cluster;
  }

  async start(): Promise<void> {
    await this.#follower.begin(this.#signal);
    this.#follower.subscribe(({ state, accepted, skipped, nextOffset }) => {
      this.#input({ kind: 'log.folded', state, accepted, skipped, nextOffset });
    });
    this.#running = this.#follower.run();
    await this.#follower.proveHead(this.#signal);
    this.#input({ kind: 'reports.read', queue: 0, signs: [], storedAt: Date.now() });
    this.#head.start();
    this.#timer = setInterval(() => {
      this.#input({ kind: 'tick' });
    }, TICK_MS);
  }

  /** Ends once it has read what it sent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopping = true;
    await Promise.all(this.#appending);
    await this.#follower.proveHead(AbortSignal.timeout(60_000));
    await this.#head.stop();
    this.#follower.close();
    await this.#running;
  }

  command(body: CommandBody): void {
    const command = { requestId: `r${this.#commandOffset}`, sentAt: Date.now(), from: 'test', ...body };
    this.#input({ kind: 'command.read', readId: this.#state.commandReads, offset: this.#commandOffset, command });
    this.#commandOffset += 1;
  }

  #input(body: InputBody): void {
    const { state, effects } = step(this.#state, { ...body, ...readClocks() });
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind !== 'append' || this.#isStopping) continue;
      const appending = this.#append(effect).finally(() => this.#appending.delete(appending));
      this.#appending.add(appending);
    }
  }

  async #append(effect: Extract<Effect, { kind: 'append' }>): Promise<void> {
    const { appendId, after, events, ...head } = effect;
    const batch = new BatchEncoder();
    for (const { body } of encodeLogChain(head, after, events)) batch.add(body, '');
    const { firstOffset, count } = await this.client.producer.sendBatch(this.queue, batch.finish());
    this.#input({ kind: 'append.settled', appendId, outcome: 'stored', lastOffset: firstOffset + count - 1 });
  }
}
