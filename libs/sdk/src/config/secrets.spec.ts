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
