import { Body, Controller, Get, Inject, Param, Put, Query, UseGuards } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { type ConfigMap, ConfigMapPipe } from '../http/config-map.js';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import { type LoggerJson, LoggersService } from './loggers.service.js';

/** Serves Kafka Connect's `/admin/loggers`, for the process that answers. */
@Controller('admin/loggers')
@UseGuards(MediaTypeGuard)
export class LoggersController {
  constructor(@Inject(LoggersService) private readonly loggers: LoggersService) {}

  @Get()
  all(): Readonly<Record<string, LoggerJson>> {
    return this.loggers.all();
  }

  @Get(':name')
  one(@Param('name') name: string): LoggerJson {
    return this.loggers.one(name);
  }

  @Put(':name')
  set(@Param('name') name: string, @Body(new ConfigMapPipe()) body: ConfigMap, @Query('scope') scope: unknown): readonly string[] {
    if (scope === 'cluster') {
      const message = 'Query parameter scope is "cluster", allowed is worker: each process has its own log level';
      throw new ConnectError(ConnectErrorCode.requestInvalid, message);
    }
    return this.loggers.set(name, body['level']);
  }
}
