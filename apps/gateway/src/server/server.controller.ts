import { Controller, Get, Inject, Res, UseGuards } from '@nestjs/common';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import type { HttpResponse } from '../http/http-request.js';
import { gatewaySettingsToken, type GatewaySettings } from '../settings/gateway-settings.js';
import { ClusterView } from '../view/cluster-view.js';

/** Serves Kafka Connect's answer about the worker itself, and its health as of KIP-1017. */
@Controller()
@UseGuards(MediaTypeGuard)
export class ServerController {
  constructor(
    @Inject(ClusterView) private readonly view: ClusterView,
    @Inject(gatewaySettingsToken) private readonly settings: GatewaySettings,
  ) {}

  @Get()
  info(): { version: string; commit: string; kafka_cluster_id: string } {
    return { version: this.settings.version, commit: this.settings.commit, kafka_cluster_id: this.view.logId };
  }

  @Get('health')
  health(@Res({ passthrough: true }) response: HttpResponse): { status: string; message: string } {
    const health = this.view.health();
    switch (health.kind) {
      case 'healthy': {
        const ready = 'Worker has completed startup and is ready to handle requests.';
        const lost = this.view.lostContact();
        return { status: 'healthy', message: lost === undefined ? ready : `${ready} ${lost.message}` };
      }
      case 'starting':
        response.status(503);
        return { status: 'starting', message: `Worker is still starting up. ${health.reason}` };
      case 'unhealthy':
        response.status(500);
        return {
          status: 'unhealthy',
          message: `Worker was unable to handle this request and may be unable to handle other requests. ${health.reason}`,
        };
      default:
        return health satisfies never;
    }
  }
}
