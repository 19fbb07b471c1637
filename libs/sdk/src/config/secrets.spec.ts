import { randomBytes } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { HIDDEN_VALUE } from './config-fields.js';
import { isSecretName, secretForms, secretsAmong, secretsRemover } from './secrets.js';

describe('isSecretName', () => {
  it.each(['password', 'db.PASSWORD', 'client.secret', 'auth-token', 'aws.access.key.id', 'apiKey', 'ssl.private_key'])(
    'takes %s for a secret',
    (name) => {
      expect(isSecretName(name)).toBe(true);
    },
  );

  it.each(['key.converter', 'topic', 'tasks.max', 'file'])('takes %s for no secret', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('secretsAmong', () => {
  it('follows definitions for names and aliases, and the name where nothing is defined', () => {
    const isSecret = secretsAmong([
      { name: 'pin', aliases: ['store.pin'], secret: true },
      { name: 'token.count', aliases: [], secret: false },
    ]);
    const names = ['pin', 'store.pin', 'token.count', 'token', 'topic'];
    expect(names.map(isSecret)).toEqual([true, true, false, true, false]);
  });
});

describe('secretsRemover', () => {
  it('finds a secret of many KiB in base64 and hex, wherever it begins', () => {
    const secret = Array.from({ length: 2000 }, (_, at) => `p${at}`).join('?');
    const hide = secretsRemover({ password: secret }, isSecretName);
    expect(secret.length).toBeGreaterThan(8000);
    for (const before of ['', 'u', 'u:', 'us:']) {
      const text = Buffer.from(`${before}${secret}`).toString('base64');
      expect(hide(`basic ${text}`).length).toBeLessThan(HIDDEN_VALUE.length + 20);
    }
    expect(hide(`at ${Buffer.from(secret).toString('hex')}`)).toBe(`at ${HIDDEN_VALUE}`);
  });

  it('finds single lines of a secret that has several', () => {
    const [first, second] = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'];
    const key = `-----BEGIN PRIVATE KEY-----\r\n${first}\n  ${second}\nshort=\n-----END PRIVATE KEY-----\n`;
    const hide = secretsRemover({ 'tls.private.key': key }, isSecretName);
    expect(hide(`line 1 is "${first}", line 2 is "${second}"`)).toBe(`line 1 is "${HIDDEN_VALUE}", line 2 is "${HIDDEN_VALUE}"`);
    expect(hide(`not ${key}`)).toBe(`not ${HIDDEN_VALUE}`);
    expect(hide('no -----BEGIN PRIVATE KEY----- and no short= line')).toBe('no -----BEGIN PRIVATE KEY----- and no short= line');
    const resolved = [{ value: `${first}\n${second}`, source: '${dir:/keys:tls}' }];
    expect(secretsRemover({}, isSecretName, resolved)(`it is ${second}`)).toBe('it is ${dir:/keys:tls}');
  });

  it('replaces the longer of two secrets first', () => {
    const remove = secretsRemover({ password: 'abc', token: 'abcdef' }, isSecretName);
    expect(remove('abcdef and abc')).toBe(`${HIDDEN_VALUE} and ${HIDDEN_VALUE}`);
  });

  it('leaves values of one or two characters, and values that are no secrets', () => {
    const remove = secretsRemover({ password: 'ab', topic: 'orders' }, isSecretName);
    expect(remove('ab of orders')).toBe('ab of orders');
  });

  it('keeps the mark of a hidden value as it is', () => {
    const remove = secretsRemover({ password: HIDDEN_VALUE, token: 'abc' }, isSecretName);
    expect(remove(`${HIDDEN_VALUE} abc`)).toBe(`${HIDDEN_VALUE} ${HIDDEN_VALUE}`);
  });
});

describe('a key in PEM', () => {
  const lines =
    randomBytes(1200)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
  const account = JSON.stringify({ type: 'service_account', token_uri: 'https://oauth2.example.com/token', private_key: pem });
  const inJson = secretsRemover({ 'gcp.credentials': account }, isSecretName);
  const line = lines[3] ?? '';

  it.each([
    ['JSON, as of a service account', account],
    ['JSON inside JSON', JSON.stringify({ credentials: account })],
    ['one line with blanks, as Kafka takes it', pem.replaceAll('\n', ' ').trim()],
    [
      'one line with blanks and headers',
      pem.replaceAll('\n', ' ').replace('KEY----- ', 'KEY----- Proc-Type: 4,ENCRYPTED DEK-Info: AES-128-CBC,00 '),
    ],
    ['one line with escaped line ends', pem.replaceAll('\n', '\\n')],
    ['one line with escaped line ends of Windows', pem.replaceAll('\n', '\\r\\n')],
  ])('is found line by line where the setting has it in %s', (_, credentials) => {
    const hide = secretsRemover({ credentials }, isSecretName);
    expect(hide(`bad line ${line} in key`)).toBe(`bad line ${HIDDEN_VALUE} in key`);
    expect(hide('Proc-Type: of a PRIVATE KEY')).toBe('Proc-Type: of a PRIVATE KEY');
  });

  it('is found whole, also in base64, where the setting holds JSON', () => {
    expect(inJson(`cannot read ${pem}`)).toBe(`cannot read ${HIDDEN_VALUE}`);
    expect(inJson(`cannot read ${Buffer.from(pem.trim()).toString('base64')}`)).toBe(`cannot read ${HIDDEN_VALUE}`);
  });

  it('leaves what the JSON says beside it', () => {
    const text = 'a service_account of https://oauth2.example.com/token';
    expect(inJson(text)).toBe(text);
  });

  it('is found where a reference stands for JSON', () => {
    const hide = secretsRemover({}, isSecretName, [{ value: account, source: '${dir:/keys:gcp}' }]);
    expect(hide(`bad line ${line}`)).toBe('bad line ${dir:/keys:gcp}');
  });
});

it.each([
  [64, '\n'],
  [76, '\r\n'],
])('a secret is found in base64 with lines of %s characters', (columns, end) => {
  const secret = randomBytes(70).toString('hex');
  const hide = secretsRemover({ password: secret }, isSecretName);
  const lines =
    Buffer.from(secret)
      .toString('base64')
      .match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
  expect(hide(`Basic ${lines.join(end)}`)).toBe(`Basic ${HIDDEN_VALUE}`);
  expect(hide(`line ${lines[1]}`)).toBe(`line ${HIDDEN_VALUE}`);
});

describe('a search for many secrets', () => {
  it('finds the same as one search for each, the longest first', () => {
    const random = (most: number): number => Math.floor(Math.random() * most);
    const word = (length: number): string => Array.from({ length }, () => 'ab'[random(2)]).join('');
    for (let round = 0; round < 500; round += 1) {
      const values = Array.from({ length: 5 }, () => word(3 + random(12)));
      const resolved = [...new Set(values)].map((value, at) => ({ value, source: at % 2 === 0 ? HIDDEN_VALUE : `\${env:${word(5)}}` }));
      const all = resolved.flatMap(({ value, source }) => secretForms(value).map((form) => ({ form, source })));
      const distinct = new Map(all.reverse().map((each) => [each.form, each]));
      const forms = [...distinct.values()].sort((left, right) => right.form.length - left.form.length);
      const text = Array.from({ length: 20 }, () => (random(3) === 0 ? values[random(5)] : word(random(6)))).join(
        random(2) === 0 ? '' : ' ',
      );
      const expected = forms.reduce((hidden, { form, source }) => hidden.replaceAll(form, () => source), text);
      expect({ values, text, hidden: secretsRemover({}, isSecretName, resolved)(text) }).toEqual({ values, text, hidden: expected });
    }
  });

  it('passes once through a text that has none', () => {
    const password = Array.from({ length: 500 }, () => randomBytes(48).toString('base64')).join('\n');
    const hide = secretsRemover({ password }, isSecretName);
    const text = randomBytes(40_000).toString('base64');
    hide('');
    const searches = jest.spyOn(String.prototype, 'replaceAll');
    const hidden = hide(text);
    const { length } = searches.mock.calls;
    searches.mockRestore();
    expect(hidden).toBe(text);
    expect(length).toBeLessThan(10);
  });
});
