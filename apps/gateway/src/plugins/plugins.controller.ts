import { Body, Controller, Get, Inject, Param, Put, Query, UseGuards } from '@nestjs/common';
import { type ConfigMap, ConfigMapPipe } from '../http/config-map.js';
import { BooleanQueryPipe } from '../http/request.pipes.js';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import type { FieldDefinitionJson, PluginJson, ValidationJson } from './plugin-answers.js';
import { PluginsService } from './plugins.service.js';

@Controller('connector-plugins')
@UseGuards(MediaTypeGuard)
export class PluginsController {
  constructor(@Inject(PluginsService) private readonly plugins: PluginsService) {}

  @Get()
  list(@Query('connectorsOnly', new BooleanQueryPipe(true)) connectorsOnly: boolean): readonly PluginJson[] {
    return this.plugins.list(connectorsOnly);
  }

  @Get(':plugin/config')
  definitions(@Param('plugin') plugin: string, @Query('version') version?: string): Promise<readonly FieldDefinitionJson[]> {
    return this.plugins.definitions(plugin, version);
  }

  @Put(':plugin/config/validate')
  validate(@Param('plugin') plugin: string, @Body(new ConfigMapPipe()) config: ConfigMap): Promise<ValidationJson> {
    return this.plugins.validate(plugin, config);
  }
}
