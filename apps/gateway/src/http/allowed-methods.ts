import { type HttpRequest, type RouteLayer } from './http-request.js';

/** The verbs that the requested path answers to, sorted; empty for a path that does not exist. */
export function allowedMethods(request: HttpRequest): readonly string[] {
  const methods = new Set<string>();
  for (const layer of request.app.router.stack) {
    if (layer.route === undefined || !isMatch(layer, request.path)) continue;
    for (const [method, isServed] of Object.entries(layer.route.methods))
      if (isServed) methods.add(method.toUpperCase());
  }
  return [...methods].sort();
}

function isMatch(layer: RouteLayer, path: string): boolean {
  try {
    return layer.match(path) !== false;
  } catch {
    // A path whose percent encoding is broken matches nothing.
    return false;
  }
}
