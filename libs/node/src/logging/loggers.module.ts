import { Controller, Inject, Module, type DynamicModule } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Question, type LoggerLevelAnswer, type LoggerLevelQuestion } from '@sluice/protocol';
import { LogLevels } from './log-levels.js';

/** Lets gateways set what a node logs. */
@Module({})
export class LoggersModule {
  static forLevels(levels: LogLevels): DynamicModule {
    return { module: LoggersModule, controllers: [LoggersRpcController], providers: [{ provide: LogLevels, useValue: levels }] };
  }
}

@Controller()
class LoggersRpcController {
  constructor(@Inject(LogLevels) private readonly levels: LogLevels) {}

  /** Sets a level until the process ends, and answers which of its loggers have it now. */
  @MessagePattern(Question.loggerLevel)
  set(@Payload() { logger, level }: LoggerLevelQuestion): LoggerLevelAnswer {
    return { changed: this.levels.set(logger, level, Date.now()) };
  }
}
