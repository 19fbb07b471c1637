import { describe, expect, it } from '@jest/globals';
import { HIDDEN_VALUE } from './config-fields.js';
import { isSecretName, secretsAmong, secretsRemover } from './secrets.js';

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
