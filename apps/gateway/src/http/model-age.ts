import { type HttpRequest, type HttpResponse } from './http-request.js';

/** Milliseconds since the gateway last knew that it had read everything that the cluster's log says. */
export const modelAgeHeader = 'Sluice-Model-Age-Ms';

/** Puts the age of what the gateway knows on every answer, also on errors. */
export function modelAge(view: {
  readonly ageMs: number;
}): (request: HttpRequest, response: HttpResponse, next: () => void) => void {
  return (_request, response, next) => {
    response.set(modelAgeHeader, String(view.ageMs));
    next();
  };
}
