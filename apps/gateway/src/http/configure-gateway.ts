import type { NestExpressApplication } from '@nestjs/platform-express';
import { ConnectErrorFilter } from './connect-error.filter.js';
import type { GatewaySettings } from '../settings/gateway-settings.js';
import { parseJsonBody } from './json-body.js';
import { ClusterView } from '../view/cluster-view.js';
import type { HttpRequest, HttpResponse } from './http-request.js';

/** Sets up an application that was created without body parsers: only JSON bodies are read, and every error has Kafka Connect's body. */
export function configureGateway(app: NestExpressApplication, settings: Pick<GatewaySettings, 'maxBodyBytes'>): void {
  app.disable('x-powered-by').disable('etag');
  app.use(modelAge(app.get(ClusterView)));
  app.useBodyParser('raw', { limit: settings.maxBodyBytes, type: 'application/json' });
  app.use(parseJsonBody);
  app.useGlobalFilters(new ConnectErrorFilter(settings));
}

/** Milliseconds since the gateway last knew that it had read everything that the cluster's log says. */
const MODEL_AGE_HEADER = 'Sluice-Model-Age-Ms';

/** Adds the age of what the gateway knows to every answer, also to errors. */
function modelAge(view: { readonly ageMs: number }): (request: HttpRequest, response: HttpResponse, next: () => void) => void {
  return (_request, response, next) => {
    response.set(MODEL_AGE_HEADER, String(view.ageMs));
    next();
  };
}
