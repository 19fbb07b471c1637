import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a registry answers in place of what it would: a status and a body, or nothing at all. */
export type FakeAnswer = { readonly status: number; readonly body?: object; readonly headers?: Record<string, string> } | 'hang';

/** The questions of the Confluent API that converters ask, on the loopback, with schemas in memory. */
export class FakeRegistry {
  readonly requests: { readonly line: string; readonly authorization: string | undefined; readonly body: string }[] = [];
  /** Answers of its own, by the beginning of a request line. */
  readonly answers = new Map<string, FakeAnswer>();
  readonly #schemas: { readonly subject: string; readonly schema: string; readonly schemaType: string }[] = [];
  #server: Server | undefined;

  async start(): Promise<string> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    const server = this.#server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  }

  /** Returns the id of a schema that is there from now on. */
  add(subject: string, schema: string, schemaType = 'AVRO'): number {
    const known = this.#schemas.findIndex((each) => each.schema === schema && each.schemaType === schemaType);
    if (known >= 0) return known + 1;
    return this.#schemas.push({ subject, schema, schemaType });
  }

  /** The last schema of a subject. */
  textOf(subject: string): string {
    return this.#schemas.findLast((each) => each.subject === subject)?.schema ?? '';
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    this.requests.push({ line, authorization: request.headers.authorization, body });
    const [, own] = [...this.answers].find(([start]) => line.startsWith(start)) ?? [];
    if (own === 'hang') return;
    const { status, body: json, headers } = own ?? this.#found(line, body);
    response.writeHead(status, headers).end(JSON.stringify(json ?? {}));
  }

  #found(line: string, body: string): Exclude<FakeAnswer, 'hang'> {
    const [, subject = '', rest = ''] = /\/subjects\/([^/?]+)(\/versions[^?]*)?/.exec(line) ?? [];
    const name = decodeURIComponent(subject);
    if (line.startsWith('GET /schemas/ids/')) {
      const found = this.#schemas[Number(line.slice('GET /schemas/ids/'.length)) - 1];
      if (found === undefined) return { status: 404, body: { error_code: 40403, message: 'Schema not found' } };
      return { status: 200, body: found.schemaType === 'AVRO' ? { schema: found.schema } : found };
    }
    if (rest === '/versions/latest') {
      const at = this.#schemas.findLastIndex((each) => each.subject === name);
      const found = this.#schemas[at];
      if (found === undefined) return { status: 404, body: { error_code: 40401, message: `Subject '${name}' not found.` } };
      return { status: 200, body: { ...found, id: at + 1, version: 1 } };
    }
    const { schema, schemaType = 'AVRO' } = JSON.parse(body) as { readonly schema: string; readonly schemaType?: string };
    if (rest === '' && !this.#schemas.some((each) => each.schema === schema)) {
      return { status: 404, body: { error_code: 40403, message: 'Schema not found' } };
    }
    return { status: 200, body: { id: this.add(name, schema, schemaType) } };
  }
}
