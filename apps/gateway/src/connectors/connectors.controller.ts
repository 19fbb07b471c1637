import {
  Body,
  Controller,
  Delete,
  ForbiddenException,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { type Config, TargetState } from '@sluice/core';
import { entityTag, readIfMatch } from '../http/config-version.js';
import type { HttpRequest, HttpResponse } from '../http/http-request.js';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import { BooleanQueryPipe, requestBodyPipe, ShallowBodyPipe } from '../http/request.pipes.js';
import { type ConfigMap, ConfigMapPipe } from '../http/config-map.js';
import type { ConnectorInfoJson, ConnectorStatusJson, TaskInfoJson, TaskStatusJson } from './connector-answers.js';
import { ConnectorNamePipe } from './connector-name.js';
import { ConnectorReader, type ExpandedConnectors, notFound } from './connector-reader.js';
import { ConnectorWriter, type PutResult } from './connector-writer.js';
import { CreateConnectorDto } from './create-connector.dto.js';

@Controller('connectors')
@UseGuards(MediaTypeGuard)
export class ConnectorsController {
  constructor(
    @Inject(ConnectorReader) private readonly reader: ConnectorReader,
    @Inject(ConnectorWriter) private readonly writer: ConnectorWriter,
  ) {}

  @Get()
  list(@Query('expand') expand: unknown): readonly string[] | Promise<ExpandedConnectors> {
    if (expand === undefined) return this.reader.names();
    return this.reader.expanded(new Set([expand].flat().map(String)));
  }

  @Post()
  async create(
    @Body(new ShallowBodyPipe(), requestBodyPipe(CreateConnectorDto.fields)) body: CreateConnectorDto,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<ConnectorInfoJson> {
    const config = new ConfigMapPipe().transform(body.config);
    const info = await this.writer.create(
      new ConnectorNamePipe().transform(body.name ?? ''),
      config,
      body.initial_state ?? TargetState.running,
    );
    setLocation(request, response, info.name);
    return info;
  }

  @Get(':name')
  info(@Param('name', ConnectorNamePipe) name: string): Promise<ConnectorInfoJson> {
    return this.reader.info(name);
  }

  @Delete(':name')
  @HttpCode(204)
  delete(@Param('name', ConnectorNamePipe) name: string): Promise<void> {
    return this.writer.delete(name);
  }

  @Get(':name/config')
  async config(@Param('name', ConnectorNamePipe) name: string, @Res({ passthrough: true }) response: HttpResponse): Promise<Config> {
    const { config, version } = await this.reader.config(name);
    response.set('ETag', entityTag(version));
    return config;
  }

  @Put(':name/config')
  async replaceConfig(
    @Param('name', ConnectorNamePipe) name: string,
    @Body(new ConfigMapPipe()) config: ConfigMap,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<ConnectorInfoJson> {
    return answerPut(await this.writer.replaceConfig(name, config, readIfMatch(request.headers['if-match'])), request, response);
  }

  @Patch(':name/config')
  async patchConfig(
    @Param('name', ConnectorNamePipe) name: string,
    @Body(new ConfigMapPipe()) patch: ConfigMap,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<ConnectorInfoJson> {
    return answerPut(await this.writer.patchConfig(name, patch, readIfMatch(request.headers['if-match'])), request, response);
  }

  @Get(':name/status')
  status(@Param('name', ConnectorNamePipe) name: string): Promise<ConnectorStatusJson> {
    return this.reader.status(name);
  }

  @Post(':name/restart')
  @HttpCode(202)
  async restart(
    @Param('name', ConnectorNamePipe) name: string,
    @Query('includeTasks', new BooleanQueryPipe(false)) includeTasks: boolean,
    @Query('onlyFailed', new BooleanQueryPipe(false)) onlyFailed: boolean,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<ConnectorStatusJson | undefined> {
    if (includeTasks || onlyFailed) return this.writer.restartChosen(name, { includeTasks, onlyFailed });
    await this.writer.restart(name);
    response.status(204);
    return undefined;
  }

  @Put(':name/pause')
  @HttpCode(202)
  pause(@Param('name', ConnectorNamePipe) name: string): Promise<void> {
    return this.writer.setTarget(name, TargetState.paused);
  }

  @Put(':name/resume')
  @HttpCode(202)
  resume(@Param('name', ConnectorNamePipe) name: string): Promise<void> {
    return this.writer.setTarget(name, TargetState.running);
  }

  @Put(':name/stop')
  @HttpCode(204)
  stop(@Param('name', ConnectorNamePipe) name: string): Promise<void> {
    return this.writer.setTarget(name, TargetState.stopped);
  }

  @Get(':name/tasks')
  tasks(@Param('name', ConnectorNamePipe) name: string): Promise<readonly TaskInfoJson[]> {
    return this.reader.tasks(name);
  }

  @Get(':name/tasks/:index/status')
  taskStatus(@Param('name', ConnectorNamePipe) name: string, @Param('index') index: string): Promise<TaskStatusJson> {
    return this.reader.taskStatus(name, index);
  }

  @Post(':name/tasks/:index/restart')
  @HttpCode(204)
  restartTask(@Param('name', ConnectorNamePipe) name: string, @Param('index') index: string): Promise<void> {
    return this.writer.restartTask(name, index);
  }

  @Get(':name/topics')
  topics(@Param('name', ConnectorNamePipe) name: string): Readonly<Record<string, { readonly topics: readonly string[] }>> {
    return this.reader.topics(name);
  }

  @Get(':name/offsets')
  offsets(@Param('name', ConnectorNamePipe) name: string): never {
    return offsetsNotServed(name);
  }

  @Patch(':name/offsets')
  alterOffsets(@Param('name', ConnectorNamePipe) name: string): never {
    return offsetsNotServed(name);
  }

  @Delete(':name/offsets')
  resetOffsets(@Param('name', ConnectorNamePipe) name: string): never {
    return offsetsNotServed(name);
  }

  /** The topics come from the settings, so there is no record of used topics to forget. */
  @Put(':name/topics/reset')
  resetTopics(@Param('name', ConnectorNamePipe) name: string): never {
    this.reader.topics(name);
    throw new ForbiddenException('Topic tracking reset is disabled.');
  }
}

function offsetsNotServed(name: string): never {
  throw notFound(`Offsets of connectors can be neither read nor changed through this API yet, those of ${name} included`);
}

function answerPut(result: PutResult, request: HttpRequest, response: HttpResponse): ConnectorInfoJson {
  response.status(result.created ? 201 : 200);
  if (result.version !== undefined) response.set('ETag', entityTag(result.version));
  if (result.created) setLocation(request, response, result.info.name);
  return result.info;
}

function setLocation(request: HttpRequest, response: HttpResponse, name: string): void {
  const { host } = request.headers;
  const base = typeof host === 'string' ? `${request.protocol}://${host}` : '';
  response.set('Location', `${base}/connectors/${encodeURIComponent(name)}`);
}
