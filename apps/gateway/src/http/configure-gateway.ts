import { type NestExpressApplication } from '@nestjs/platform-express';
import { ConnectErrorFilter } from './connect-error.filter.js';
import { type GatewaySettings } from '../settings/gateway-settings.js';
import { parseJsonBody } from './json-body.js';
import { modelAge } from './model-age.js';
import { ClusterView } from '../view/cluster-view.js';

/** Sets up an application that was created without body parsers: only JSON bodies are read, and every error has Kafka Connect's body. */
export function configureGateway(app: NestExpressApplication, settings: Pick<GatewaySettings, 'maxBodyBytes'>): void {
  app.disable('x-powered-by').disable('etag');
  app.use(modelAge(app.get(ClusterView)));
  app.useBodyParser('raw', { limit: settings.maxBodyBytes, type: 'application/json' });
  app.use(parseJsonBody);
  app.useGlobalFilters(new ConnectErrorFilter(settings));
}
