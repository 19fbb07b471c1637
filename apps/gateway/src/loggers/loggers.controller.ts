import { Body, Controller, Get, Inject, Param, Put, Query, Res, UseGuards } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { HttpResponse } from '../http/http-request.js';
import { type ConfigMap, ConfigMapPipe } from '../http/config-map.js';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import { type LoggerJson, LoggersService } from './loggers.service.js';

/** Serves Kafka Connect's `/admin/loggers`: those of the process that answers, and with `scope=cluster` those of all nodes. */
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
  async set(
    @Param('name') name: string,
    @Body(new ConfigMapPipe()) body: ConfigMap,
    @Query('scope') scope: unknown,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<readonly string[] | undefined> {
    if (scope === undefined || scope === 'worker') return this.loggers.set(name, body['level']);
    if (scope !== 'cluster') {
      throw new ConnectError(
        ConnectErrorCode.requestInvalid,
        `Query parameter scope is ${JSON.stringify(scope)}, allowed are worker, cluster`,
      );
    }
    await this.loggers.setInCluster(name, body['level']);
    response.status(204);
    return undefined;
  }
}
