import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { ControlPlaneUnavailableError } from './ports/gateway-ports.js';
import { errorBody, GatewayClient } from './testing/gateway-client.js';

const source = { 'connector.class': 'FileStreamSource', topic: 't' };

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

/** What every answer says while the gateway has lost the log, with what follows. */
function noContact(end: string): unknown {
  const start = "^The gateway has had no contact to the cluster's log since \\S+Z: RocketMQ is unavailable";
  return expect.stringMatching(new RegExp(`${start}, .+\\. /health/ready says why\\.${end}$`));
}

/** In place of the gateway of the spec: one that gives up soon. */
async function becomeImpatient(): Promise<void> {
  await gateway.stop();
  gateway = await GatewayClient.start({ requestTimeoutMs: 2_000 });
}

describe('what is not there answers 404', () => {
  it.each([
    ['GET', '/connectors/none', 'Connector none not found'],
    ['DELETE', '/connectors/none', 'Connector none not found'],
    ['GET', '/connectors/none/config', 'Connector none not found'],
    ['GET', '/connectors/none/tasks', 'Connector none not found'],
    ['GET', '/connectors/none/topics', 'Connector none not found'],
    ['GET', '/connectors/none/status', 'No status found for connector none'],
    ['GET', '/connectors/none/tasks/0/status', 'No status found for task none-0'],
    ['GET', '/connectors/src/tasks/9/status', 'No status found for task src-9'],
    ['GET', '/connectors/src/tasks/00/status', 'No status found for task src-00'],
    ['GET', '/connectors/src/tasks/x/status', 'No status found for task src-x'],
    ['PUT', '/connectors/none/pause', 'Unknown connector none'],
    ['PUT', '/connectors/none/resume', 'Unknown connector none'],
    ['PUT', '/connectors/none/stop', 'Unknown connector none'],
    ['POST', '/connectors/none/restart', 'Unknown connector: none'],
    ['POST', '/connectors/none/restart?includeTasks=true', 'Unknown connector: none'],
    ['POST', '/connectors/none/tasks/0/restart', 'Unknown connector: none'],
    ['POST', '/connectors/src/tasks/7/restart', 'Unknown task: src-7'],
    ['POST', '/connectors/src/tasks/-1/restart', 'Unknown task: src--1'],
    ['GET', '/connector-plugins/Nope/config', 'Unknown plugin Nope.'],
    ['GET', '/connectors/src/offsets', 'Offsets of connectors can be neither read nor changed through this API yet, those of src included'],
    [
      'PATCH',
      '/connectors/src/offsets',
      'Offsets of connectors can be neither read nor changed through this API yet, those of src included',
    ],
    [
      'DELETE',
      '/connectors/src/offsets',
      'Offsets of connectors can be neither read nor changed through this API yet, those of src included',
    ],
    ['GET', '/connectors/src/tasks-config', 'HTTP 404 Not Found: there is nothing at /connectors/src/tasks-config'],
    ['GET', '/nothing', 'HTTP 404 Not Found: there is nothing at /nothing'],
  ])('%s %s', async (method, path, message) => {
    await gateway.createSource('src');
    expect(await gateway.send(method, path)).toMatchObject({ status: 404, body: errorBody(404, message) });
  });

  it('PATCH of the config of an unknown connector', async () => {
    const answer = await gateway.send('PATCH', '/connectors/none/config', {});
    expect(answer).toMatchObject({ status: 404, body: errorBody(404, 'Connector none not found') });
  });

  it('with the same text when the connector goes while the command is on its way', async () => {
    await gateway.createSource('src');
    gateway.cluster.answer = () => Promise.resolve({ status: 'not-found', message: 'gone' });
    const answer = await gateway.put('/connectors/src/pause');
    expect(answer).toMatchObject({ status: 404, body: errorBody(404, 'Unknown connector src') });
  });
});

describe('requests that cannot be understood', () => {
  it.each([
    ['PATCH', '/connectors', 'GET, POST'],
    ['POST', '/connectors/src', 'DELETE, GET'],
    ['GET', '/connectors/src/pause', 'PUT'],
    ['PUT', '/connectors/src/restart', 'POST'],
    ['DELETE', '/connector-plugins', 'GET'],
    ['POST', '/', 'GET'],
  ])('%s %s answers 405 and names the verbs', async (method, path, allowed) => {
    const answer = await gateway.send(method, path);
    const message = `HTTP 405 Method Not Allowed: ${method} given, ${path} answers to ${allowed}`;
    expect(answer).toMatchObject({ status: 405, body: errorBody(405, message) });
    expect(answer.headers.get('allow')).toBe(allowed);
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'a body of type %s answers 415',
    async (type) => {
      const answer = await gateway.sendText('POST', '/connectors', '{"name":"a","config":{}}', type);
      const message = `HTTP 415 Unsupported Media Type: content type "${type}" given, allowed is application/json`;
      expect(answer).toMatchObject({ status: 415, body: errorBody(415, message) });
    },
  );

  it('a charset that JSON cannot have answers 415', async () => {
    const answer = await gateway.sendText('POST', '/connectors', '{}', 'application/json; charset=latin1');
    const message = 'HTTP 415 Unsupported Media Type: charset "latin1" given, allowed is utf-8';
    expect(answer).toMatchObject({ status: 415, body: errorBody(415, message) });
  });

  it('a body in JSON with a charset is read', async () => {
    const text = JSON.stringify({ name: 'src', config: source });
    const answer = await gateway.sendText('POST', '/connectors', text, 'Application/JSON; charset=utf-8');
    expect(answer.status).toBe(201);
  });

  it('Accept: text/plain answers 406', async () => {
    const answer = await gateway.sendText('GET', '/connectors', undefined, '', { accept: 'text/plain' });
    const message = 'HTTP 406 Not Acceptable: "text/plain" asked for, available is application/json';
    expect(answer).toMatchObject({ status: 406, body: errorBody(406, message) });
  });

  it.each(['*/*', 'application/*', 'text/html, application/json;q=0.5'])('Accept: %s is served', async (accept) => {
    expect((await gateway.sendText('GET', '/connectors', undefined, '', { accept })).status).toBe(200);
  });

  it.each(['{"name": hunter2}', '{"password":"hunter2" "b"}', '"hunter2"', '7', '{', 'null'])(
    'the body %s answers 400 and is not repeated',
    async (text) => {
      for (const [method, path] of [
        ['POST', '/connectors'],
        ['PUT', '/connectors/src/config'],
        ['PUT', '/connector-plugins/FileStreamSource/config/validate'],
      ] as const) {
        const answer = await gateway.sendText(method, path, text, 'application/json');
        expect(answer).toMatchObject({ status: 400, body: { error_code: 400 } });
        expect(JSON.stringify(answer.body)).not.toContain('hunter2');
      }
    },
  );

  it.each([
    ['7', ': it is a number'],
    ['null', ': it is null'],
    ['{"name" 7}', ': wrong at position 8'],
  ])('the answer to the body %s says what is wrong', async (text, detail) => {
    const answer = await gateway.sendText('POST', '/connectors', text, 'application/json');
    const message = `The request body is not a JSON object${detail}`;
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });

  it('a body nested a thousand times answers 400', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(2000)}1${close.repeat(2000)}`;
      const text = `{"name":${deep},"config":${deep},"x":${deep}}`;
      const answer = await gateway.sendText('POST', '/connectors', text, 'application/json');
      expect(answer).toMatchObject({ status: 400, body: { error_code: 400 } });
    }
  });

  it('a body above the limit answers 413', async () => {
    const answer = await gateway.post('/connectors', { name: 'a', config: { x: 'y'.repeat(70_000) } });
    const message = 'HTTP 413 Payload Too Large: at most 65536 bytes are allowed for a request body';
    expect(answer).toMatchObject({ status: 413, body: errorBody(413, message) });
  });

  it('a broken percent encoding answers 400', async () => {
    expect(await gateway.get('/connectors/%zz')).toMatchObject({ status: 400, body: { error_code: 400 } });
  });

  it('resetting topics answers 403', async () => {
    await gateway.createSource('src');
    const answer = await gateway.put('/connectors/src/topics/reset');
    expect(answer).toMatchObject({ status: 403, body: errorBody(403, 'Topic tracking reset is disabled.') });
  });
});

describe('a control plane that does not answer', () => {
  /** What the log says of a command whose outcome nobody knows. */
  const unknownOutcome = (command: string, place: string): unknown =>
    expect.stringMatching(
      new RegExp(
        `^The outcome of ${command} \\(request [0-9a-f-]{36}\\) is unknown, it may still be carried out\\. ` +
          `GET ${place} shows whether it was: send the request again only if it was not\\. `,
      ),
    );

  it('answers 503 with the reason when the command was not written', async () => {
    gateway.cluster.answer = () => Promise.reject(new ControlPlaneUnavailableError('No broker of the log is reachable.'));
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 503, body: errorBody(503, 'No broker of the log is reachable.') });
    expect(gateway.warned).toEqual([]);
  });

  it('answers 500 `Request timed out` when no result comes in time', async () => {
    await becomeImpatient();
    gateway.cluster.answer = () => new Promise(() => undefined);
    const config = { ...source, password: 'hidden-word' };
    const answer = await gateway.post('/connectors', { name: 'src', config });
    expect(gateway.warned).toEqual([unknownOutcome('connector.put of src', '/connectors/src')]);
    expect(gateway.warned.join()).not.toContain('hidden-word');
    const message =
      'Request timed out. The gateway was waiting for the coordinator to carry out connector.put of src, which may still happen.';
    expect(answer).toMatchObject({ status: 500, body: errorBody(500, message) });
  });

  it('answers 503 with the reason as soon as the leader is silent, not at the deadline, when it died before it answered', async () => {
    await gateway.createSource('src');
    gateway.cluster.before = () => {
      gateway.cluster.leaderSilence = 10_001;
    };
    gateway.cluster.answer = () => new Promise(() => undefined);
    const reason = /^No coordinator leads: c1, the last one, was not heard of since \S+Z\. /;
    for (const [path, body, command] of [
      ['/connectors/src/pause', undefined, 'connector.target of src'],
      ['/cluster/settings', {}, 'settings.put'],
    ] as const) {
      gateway.cluster.leaderSilence = 9_000;
      const answer = await gateway.put(path, body);
      expect(answer).toMatchObject({ status: 503, body: errorBody(503, expect.stringMatching(reason)) });
      const { message } = answer.body as { message: string };
      expect(message.replace(reason, '')).toBe(`${command} may still be carried out once a coordinator leads again.`);
    }
    expect(gateway.warned).toEqual([
      unknownOutcome('connector.target of src', '/connectors/src/status'),
      unknownOutcome('settings.put', '/cluster/settings'),
    ]);
  });

  it('answers 500 `Request timed out` when the sender gives up', async () => {
    const late = new ConnectError(ConnectErrorCode.timeout, 'No coordinator answered.');
    gateway.cluster.answer = () => Promise.reject(late);
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 500, body: errorBody(500, 'Request timed out. No coordinator answered.') });
    expect(gateway.warned).toEqual([unknownOutcome('connector.put of src', '/connectors/src')]);
  });

  it('answers 500 `Request timed out` when the command was too old to be carried out', async () => {
    await gateway.createSource('src');
    gateway.cluster.answer = () => Promise.resolve({ status: 'expired', message: 'The command is too old.' });
    const answer = await gateway.put('/connectors/src/pause');
    expect(answer).toMatchObject({ status: 500, body: errorBody(500, 'Request timed out. The command is too old.') });
    expect(gateway.warned).toEqual([]);
  });

  it('answers 400 with the coordinator’s reason when it refuses', async () => {
    gateway.cluster.answer = () => Promise.resolve({ status: 'invalid', message: 'type cannot change' });
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, 'type cannot change') });
  });

  it('answers 500 without details when something unforeseen is thrown', async () => {
    gateway.cluster.answer = () => Promise.reject(new TypeError('x is undefined'));
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    const message = 'HTTP 500 Internal Server Error: the log of the gateway has the cause';
    expect(answer).toMatchObject({ status: 500, body: errorBody(500, message) });
  });

  it.each(['/connectors', '/connectors/src', '/connectors/src/status', '/connector-plugins'])(
    'GET %s answers 503 before the log was read and when the view is too old',
    async (path) => {
      await gateway.createSource('src');
      gateway.cluster.isFollowing = false;
      expect(await gateway.get(path)).toMatchObject({ status: 503, body: { error_code: 503 } });
      gateway.cluster.isFollowing = true;
      gateway.cluster.stalenessMs = 40_000;
      expect(await gateway.get(path)).toMatchObject({ status: 503, body: errorBody(503, noContact('')) });
    },
  );
});

describe('a log without contact', () => {
  it('is what every status says, and /health', async () => {
    await gateway.createSource('src');
    const paths = ['/connectors/src/status', '/connectors/src/tasks/0/status'];
    for (const path of paths) expect((await gateway.get(path)).body).not.toHaveProperty('contact_lost');
    const from = Date.now();
    gateway.cluster.stalenessMs = 6_000;
    const contactLost = { since: expect.any(Number), message: noContact(' The states are those of that time: .+') };
    for (const path of paths) {
      expect(await gateway.get(path)).toMatchObject({ status: 200, body: { contact_lost: contactLost } });
    }
    const { body } = await gateway.get('/connectors?expand=status');
    expect(body).toMatchObject({ src: { status: { contact_lost: contactLost } } });
    const { since } = (body as { src: { status: { contact_lost: { since: number } } } }).src.status.contact_lost;
    expect(since).toBeGreaterThanOrEqual(from - 6_000 - 1);
    const health = await gateway.get('/health');
    expect(health).toMatchObject({ status: 200, body: { message: expect.stringContaining('/health/ready says why') } });
  });

  it.each([6, 25, 110])('is the cause that every write names after %s s, and no runner is', async (seconds) => {
    await gateway.createSource('src');
    const lose = (error: string) => (): Promise<never> => {
      gateway.cluster.stalenessMs = seconds * 1000;
      return Promise.reject(new ControlPlaneUnavailableError(error));
    };
    const refused = { status: 503, body: errorBody(503, noContact('( Nothing was changed\\.)?')) };
    gateway.cluster.question = lose('No runner could be asked about FileStreamSource: w1 did not answer.');
    expect(await gateway.put('/connectors/src/config', { ...source, topic: 'u' })).toMatchObject(refused);
    gateway.cluster.stalenessMs = 0;
    gateway.cluster.answer = lose('The broker refused the command.');
    expect(await gateway.put('/connectors/src/pause')).toMatchObject(refused);
    gateway.cluster.leaderSilence = seconds * 1000;
    expect(await gateway.put('/connectors/src/pause')).toMatchObject(refused);
  });
});

describe('a cluster without runners', () => {
  it('answers 503 to what needs a plugin, and stores nothing', async () => {
    const lonely = await GatewayClient.start({ runners: false });
    try {
      const answers = [
        await lonely.post('/connectors', { name: 'src', config: source }),
        await lonely.put('/connectors/src/config', source),
        await lonely.put('/connector-plugins/FileStreamSource/config/validate', source),
        await lonely.get('/connector-plugins/FileStreamSource/config'),
      ];
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
      expect(answers[0]?.body).toEqual(
        errorBody(
          503,
          'No source-runner and no sink-runner is live, so no connector class can be looked up or validated; nothing was changed.',
        ),
      );
      expect(lonely.cluster.submitted).toEqual([]);
      expect((await lonely.get('/connectors')).body).toEqual([]);
    } finally {
      await lonely.stop();
    }
  });

  it('answers 503 for an existing source when only sink runners are left', async () => {
    await gateway.createSource('src');
    gateway.cluster.removeRunner('w1');
    const answer = await gateway.put('/connectors/src/config', { ...source, topic: 'u' });
    expect(answer).toMatchObject({
      status: 503,
      body: { message: expect.stringContaining('No source-runner is live') },
    });
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject({ topic: 't' });
  });

  it('says that a kind of runner is missing when an unknown class is asked for', async () => {
    gateway.cluster.removeRunner('w2');
    const config = { 'connector.class': 'FileStreamSink', topics: 't' };
    const answer = await gateway.post('/connectors', { name: 'snk', config });
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('; no sink-runner is live') },
    });
  });

  it('answers 503 when the runner that was asked is gone', async () => {
    gateway.cluster.question = () => Promise.reject(new ControlPlaneUnavailableError('Runner w1 did not answer.'));
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 503, body: errorBody(503, 'Runner w1 did not answer.') });
    expect(gateway.cluster.submitted).toEqual([]);
  });

  it('answers by the code of an error that came over the wire', async () => {
    const answered = Object.assign(new Error('FileStreamSource is not loaded.'), { code: 'CONNECT_PLUGIN_NOT_FOUND' });
    gateway.cluster.question = () => Promise.reject(answered);
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, 'FileStreamSource is not loaded.') });
  });

  it('answers 500 `Request timed out` when the runner hangs', async () => {
    await becomeImpatient();
    gateway.cluster.question = () => new Promise(() => undefined);
    const answer = await gateway.put('/connector-plugins/FileStreamSource/config/validate', source);
    const message = 'Request timed out. The gateway was waiting for a runner to validate the configuration with FileStreamSource.';
    expect(answer).toMatchObject({ status: 500, body: errorBody(500, message) });
  });
});
