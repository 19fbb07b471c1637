import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import {
  Question,
  type DefinitionsAnswer,
  type DefinitionsQuestion,
  type TaskConfigsAnswer,
  type TaskConfigsQuestion,
  type ValidateAnswer,
  type ValidateQuestion,
} from '@sluice/protocol';
import { overridesOf } from '@sluice/core';
import type { RocketMqContext } from '@sluice/rpc';
import type { PluginRegistry, SinkDivider } from '@sluice/runtime';
import { isConnectError } from '@sluice/sdk';
import type { SplitContexts } from './split-contexts.js';

export const PLUGIN_REGISTRY = Symbol('plugin registry');
export const SINK_DIVIDER = Symbol('sink divider');
export const SPLIT_CONTEXTS = Symbol('split contexts');

/** Answers the questions about plugins that gateways and the leader ask. */
@Controller()
export class RunnerController {
  constructor(
    @Inject(PLUGIN_REGISTRY) private readonly plugins: PluginRegistry,
    @Inject(SINK_DIVIDER) private readonly divider: SinkDivider,
    @Inject(SPLIT_CONTEXTS) private readonly splits: SplitContexts,
  ) {}

  @MessagePattern(Question.validate)
  validate(@Payload() { className, config }: ValidateQuestion): Promise<ValidateAnswer> {
    return answered(() => this.plugins.validate(className, config));
  }

  @MessagePattern(Question.definitions)
  definitions(@Payload() { className, version, kind }: DefinitionsQuestion): Promise<DefinitionsAnswer> {
    return answered(() => this.plugins.definitions(className, version, kind));
  }

  @MessagePattern(Question.taskConfigs)
  taskConfigs(@Payload() { config }: TaskConfigsQuestion, @Ctx() question: RocketMqContext): Promise<TaskConfigsAnswer> {
    return answered(async () => {
      const limitMs = question.getDeadlineMs() - Date.now();
      const answer = await this.splits.within(config['name'] ?? '', limitMs, (context) =>
        this.plugins.taskConfigs(config, context, this.divider),
      );
      return 'error' in answer ? answer : { tasks: answer.tasks.map((task) => overridesOf(config, task)) };
    });
  }
}

/** Nest masks what is not an RpcException; the caller needs the code and the text. */
async function answered<T>(answer: () => T | Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    if (!isConnectError(error)) throw error;
    throw new RpcException({ code: error.code, message: error.message });
  }
}
