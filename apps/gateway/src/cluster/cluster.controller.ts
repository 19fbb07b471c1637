import { Body, Controller, Get, HttpCode, Inject, Param, Patch, Post, Put, Query, UseGuards } from '@nestjs/common';
import { type ConfigMap, ConfigMapPipe } from '../http/config-map.js';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import { readPlanQuestion } from './assignment-change.js';
import type { ClusterJson, NodeDetailJson, NodeJson, PlanJson, SettingsJson } from './cluster-answers.js';
import { ClusterReader } from './cluster-reader.js';
import { ClusterWriter } from './cluster-writer.js';

/** Serves the cluster as a resource; Kafka Connect has nothing like it. */
@Controller('cluster')
@UseGuards(MediaTypeGuard)
export class ClusterController {
  constructor(
    @Inject(ClusterReader) private readonly reader: ClusterReader,
    @Inject(ClusterWriter) private readonly writer: ClusterWriter,
  ) {}

  @Get()
  cluster(): ClusterJson {
    return this.reader.cluster();
  }

  @Get('nodes/:id')
  node(@Param('id') id: string): NodeDetailJson {
    return this.reader.node(id);
  }

  @Post('nodes/:id/drain')
  @HttpCode(202)
  drain(@Param('id') id: string): Promise<NodeJson> {
    return this.writer.drain(id);
  }

  @Post('nodes/:id/undrain')
  @HttpCode(202)
  undrain(@Param('id') id: string): Promise<NodeJson> {
    return this.writer.undrain(id);
  }

  @Get('assignment/plan')
  plan(@Query() query: Readonly<Record<string, unknown>>): PlanJson {
    return this.reader.plan(readPlanQuestion(query));
  }

  @Get('settings')
  settings(): SettingsJson {
    return this.reader.settings();
  }

  @Put('settings')
  replaceSettings(@Body(new ConfigMapPipe()) settings: ConfigMap): Promise<SettingsJson> {
    return this.writer.replaceSettings(settings);
  }

  @Patch('settings')
  changeSettings(@Body(new ConfigMapPipe()) settings: ConfigMap): Promise<SettingsJson> {
    return this.writer.changeSettings(settings);
  }
}
