import { type NestExpressApplication } from '@nestjs/platform-express';
import { ConnectErrorFilter } from './connect-error.filter.js';
import { type GatewaySettings } from './gateway-settings.js';
import { parseJsonBody } from './http/json-body.js';
import { modelAge } from './http/model-age.js';
import { ClusterView } from './server/cluster-view.js';

/** Sets up an application that was created without body parsers: only JSON bodies are read, and every error has Kafka Connect's body. */
export function configureGateway(app: NestExpressApplication, settings: Pick<GatewaySettings, 'maxBodyBytes'>): void {
  app.disable('x-powered-by').disable('etag');
  app.use(modelAge(app.get(ClusterView)));
  app.useBodyParser('raw', { limit: settings.maxBodyBytes, type: 'application/json' });
  app.use(parseJsonBody);
  app.useGlobalFilters(new ConnectErrorFilter(settings));
}
