/** The parts of Express's request and response that the gateway uses. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly originalUrl: string;
  readonly protocol: string;
  body?: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly app: { readonly router: { readonly stack: readonly RouteLayer[] } };
  accepts(type: string): string | false;
}

export interface RouteLayer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  /** What was matched, or false. */
  match(path: string): object | boolean;
}

export interface HttpResponse {
  readonly headersSent: boolean;
  status(code: number): this;
  set(name: string, value: string): this;
  json(body: unknown): this;
  end(): void;
}
