import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { configureGateway } from '../http/configure-gateway.js';
import type { GatewaySettings } from '../settings/gateway-settings.js';

/** Creates the HTTP application alone, silent and not yet listening. */
export async function createGateway(module: DynamicModule, settings: GatewaySettings): Promise<NestExpressApplication> {
  const options = { logger: false, bodyParser: false, abortOnError: false } as const;
  const app = await NestFactory.create<NestExpressApplication>(module, options);
  configureGateway(app, settings);
  return app;
}
