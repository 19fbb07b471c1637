import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { EndedSpan } from '@sluice/runtime';
import type { TracingSettings } from '@sluice/node';
import { openExporter, type SpanExporter } from './otlp-exporter.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

const span: EndedSpan = {
  traceId: TRACE,
  spanId: 'b7ad6b7169203331',
  parent: { spanId: '00f067aa0ba902b7', isRemote: true },
  state: 'a=b',
  name: 'process t',
  kind: 'consumer',
  startMs: 1_700_000_000_001.25,
  endMs: 1_700_000_000_003.5,
  attributes: { 'messaging.system': 'rocketmq', 'sluice.offset': 7, 'sluice.context.carried': false },
  events: [{ name: 'exception', atMs: 1_700_000_000_002, attributes: { 'exception.message': 'no' } }],
  droppedEvents: 2,
  error: 'no',
};

describe('the exporter of spans', () => {
  let server: Server | undefined;
  let exporter: SpanExporter | undefined;
  const lines: string[] = [];

  afterEach(async () => {
    exporter?.close();
    lines.length = 0;
    await end();
  });

  async function end(): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined) return;
    ending.closeAllConnections();
    await new Promise((resolve) => ending.close(resolve));
  }

  async function opened(
    status: number,
    taken: (body: string, headers: Readonly<Record<string, unknown>>) => void,
    answer: object = {},
  ): Promise<SpanExporter> {
    const listening = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        taken(text, request.headers);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const address = listening.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const settings: TracingSettings = {
      endpoint: `http://127.0.0.1:${port}/v1/traces`,
      headers: { authorization: 'Bearer t0ken' },
      timeoutMs: 500,
      ratio: 1,
      maxPerSecond: 1,
      maxQueuedSpans: 512,
      serviceName: 'pipes',
    };
    exporter = openExporter(settings, { 'service.name': 'pipes', 'service.version': '1' }, { warn: (line) => lines.push(line) });
    return exporter;
  }

  it('resolves with 0 where the receiver took all of them', async () => {
    const { send } = await opened(200, () => undefined, { partialSuccess: { errorMessage: 'an old format' } });
    await expect(send([span])).resolves.toBe(0);
  });

  it('writes them as OTLP in JSON, with the headers of the settings', async () => {
    let body = '';
    let authorization: unknown;
    const { send } = await opened(200, (text, headers) => {
      body = text;
      authorization = headers['authorization'];
    });
    await send([span]);
    expect(authorization).toBe('Bearer t0ken');
    const [ofResource] = (
      JSON.parse(body) as { resourceSpans: { resource: { attributes: unknown }; scopeSpans: { spans: unknown[] }[] }[] }
    ).resourceSpans;
    expect(ofResource?.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'pipes' } });
    const attributes = [
      { key: 'messaging.system', value: { stringValue: 'rocketmq' } },
      { key: 'sluice.offset', value: { intValue: 7 } },
      { key: 'sluice.context.carried', value: { boolValue: false } },
    ];
    const time = '1700000000002000000';
    const event = { name: 'exception', timeUnixNano: time, attributes: [{ key: 'exception.message', value: { stringValue: 'no' } }] };
    expect(ofResource?.scopeSpans[0]?.spans).toMatchObject([
      {
        traceId: TRACE,
        spanId: span.spanId,
        parentSpanId: '00f067aa0ba902b7',
        traceState: 'a=b',
        name: 'process t',
        kind: 5,
        startTimeUnixNano: '1700000000001250000',
        endTimeUnixNano: '1700000000003500000',
        attributes,
        events: [event],
        droppedEventsCount: 2,
        status: { code: 2, message: 'no' },
        // Sampled, and its parent is known to be remote.
        flags: 0x301,
      },
    ]);
  });

  it('resolves with how many spans the receiver rejected, and logs why, without the token', async () => {
    const partialSuccess = { rejectedSpans: '2', errorMessage: 'quota of t0ken is exhausted' };
    const { send } = await opened(200, () => undefined, { partialSuccess });
    await expect(send([span, span, span])).resolves.toBe(2);
    await expect(send([span])).resolves.toBe(2);
    expect(lines).toEqual([expect.stringContaining('is exhausted')]);
    expect(lines.join('')).not.toContain('t0ken');
  });

  it('rejects where the receiver refuses them, and where nobody answers', async () => {
    const refusing = await opened(400, () => undefined);
    await expect(refusing.send([span])).rejects.toThrow('Bad Request');
    await end();
    await expect(refusing.send([span])).rejects.toThrow();
  });
});
