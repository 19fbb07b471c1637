import { createServer, type Server } from 'node:http';

/** A span as it was exported. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly error: string | undefined;
  readonly role: string;
  readonly node: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly boolValue?: boolean;
}
type OtlpAttributes = readonly { readonly key: string; readonly value: OtlpValue }[];

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpAttributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly status: { readonly message?: string };
        readonly attributes: OtlpAttributes;
      }[];
    }[];
  }[];
}

const plain = (attributes: OtlpAttributes): Readonly<Record<string, string | number | boolean>> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue ?? NaN)] as const),
  );

/** Receives traces by OTLP over HTTP as JSON. */
export class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** What was sent, as it came. */
  readonly texts: string[] = [];
  readonly authorizations = new Set<string | undefined>();
  #server: Server | undefined;

  async listen(port: number): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        this.texts.push(text);
        this.authorizations.add(request.headers.authorization);
        if (request.url === '/v1/traces') this.#take(JSON.parse(text) as OtlpRequest);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  #take({ resourceSpans }: OtlpRequest): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const { 'sluice.role': role = '', 'service.instance.id': node = '' } = plain(resource.attributes);
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        const { traceId, spanId, parentSpanId = '', name, kind } = span;
        const attributes = plain(span.attributes);
        this.spans.push({
          ...{ traceId, spanId, parentSpanId, name, kind, attributes, error: span.status.message },
          ...{ role: String(role), node: String(node) },
        });
      }
    }
  }
}
