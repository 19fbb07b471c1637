import { type ConnectorContext, type ConnectorInstance, queueKey, requireConfig, type TaskConfig } from '@sluice/sdk';
import { pause } from '@sluice/time';
import { queuesIn } from '../flow/agreed-queues.js';
import { type FlowTopics, lookForTopics } from '../flow/flow-topics.js';
import { rocketMqSourceSpec, type TopicSettings } from '../flow/settings.js';
import { type FlowSides, openFlow, type OpenFlow, SINK_SIDES, SOURCE_SIDES } from '../flow/flow-clusters.js';
import { sinkTopicSettings } from '../flow/sink-settings.js';
import type { InstancePart } from './instance-part.js';

/** What the instance knows of the flow, as of its last look. */
interface FlowView {
  /** Target names by source name. */
  readonly topics: ReadonlyMap<string, string>;
  /** Queues of the target by queues of the source. */
  readonly queues: ReadonlyMap<string, string>;
}

/** What an instance watches. */
export interface FlowWatch {
  readonly sides: FlowSides;
  readonly settingsOf: (config: TaskConfig) => TopicSettings;
}

export const SOURCE_WATCH: FlowWatch = {
  sides: SOURCE_SIDES,
  settingsOf: (config) => requireConfig(SOURCE_SIDES.subject, rocketMqSourceSpec, config, { unknownKeys: 'ignore' }),
};

export const SINK_WATCH: FlowWatch = { sides: SINK_SIDES, settingsOf: sinkTopicSettings };

/** Watches the source for topics and queues that the tasks do not have yet, and runs what else a flow does beside its tasks. */
export class FlowInstance implements ConnectorInstance {
  readonly #parts: readonly InstancePart[];
  readonly #begun: InstancePart[] = [];
  readonly #closing = new AbortController();
  #flow: OpenFlow | undefined;
  #watching: Promise<void> = Promise.resolve();
  #view: FlowView = { topics: new Map(), queues: new Map() };
  /** Queues of which the runtime has heard. */
  #asked: ReadonlySet<string> = new Set();
  /** Why topics are not copied, that the log has named. */
  #refused: ReadonlySet<string> = new Set();

  constructor(
    private readonly watch: FlowWatch,
    parts: readonly InstancePart[] = [],
  ) {
    this.#parts = parts;
  }

  async start(context: ConnectorContext): Promise<void> {
    const signal = AbortSignal.any([context.signal, this.#closing.signal]);
    const settings = this.watch.settingsOf(context.config);
    const flow = (this.#flow = await openFlow(this.watch.sides, context.config, signal, (text) => {
      context.logger.warn(text);
    }));
    const look = async (): Promise<void> => {
      const agreed = await context.agreedPairs();
      const known = queuesIn(agreed);
      this.#note(context, await lookForTopics(flow.clusters, settings, known, signal), known);
    };
    await look();
    const given = { connector: context, topics: () => this.#view.topics, queues: () => this.#view.queues, signal };
    for (const part of this.#parts) {
      this.#begun.push(part);
      await part.start(given, flow.clusters);
    }
    this.#watching = this.#watch(look, settings['topics.refresh.interval.ms'], { context, signal });
  }

  async stop(): Promise<void> {
    this.#closing.abort(new Error('The instance stops'));
    await this.#watching;
    for (const part of this.#begun.reverse()) await part.stop();
    await this.#flow?.close();
  }

  /** Looks again and again. What is unavailable is looked for again at the next time. Never rejects. */
  async #watch(
    look: () => Promise<void>,
    intervalMs: number,
    { context, signal }: { readonly context: ConnectorContext; readonly signal: AbortSignal },
  ): Promise<void> {
    let problem: string | undefined;
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      await pause(intervalMs, signal);
      if (isOver()) return;
      try {
        await look();
        problem = undefined;
      } catch (error) {
        const found = error instanceof Error ? error.message : String(error);
        if (!isOver() && found !== problem) context.logger.warn(`The source could not be asked for new topics and queues: ${found}`);
        problem = found;
      }
    }
  }

  #note(context: ConnectorContext, { taken, plan }: FlowTopics, known: ReturnType<typeof queuesIn>): void {
    this.#tellOfRefused(context, plan);
    const targets = new Map(taken.map(({ source, target }) => [source, target]));
    const ours = known.filter(({ source, target }) => targets.get(source.topic) === target.topic);
    const queues = new Map(ours.map(({ source, target }) => [queueKey(source), queueKey(target)]));
    this.#view = { topics: targets, queues };
    const missing = new Set(taken.flatMap(({ queues: present }) => present.map(queueKey).filter((key) => !queues.has(key))));
    const added = [...missing].filter((key) => !this.#asked.has(key));
    this.#asked = missing;
    if (added.length === 0) return;
    const more = added.length > 3 ? ` and ${added.length - 3} more` : '';
    context.logger.info(`The source has new queues: ${added.slice(0, 3).join(', ')}${more}`);
    context.requestTaskReconfiguration();
  }

  #tellOfRefused(context: ConnectorContext, plan: FlowTopics['plan']): void {
    const problems = new Set(plan.flatMap(({ problem }) => problem ?? []));
    for (const problem of problems) if (!this.#refused.has(problem)) context.logger.warn(`A topic is not copied: ${problem}`);
    this.#refused = problems;
  }
}
